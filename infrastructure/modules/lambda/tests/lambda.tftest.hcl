mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-2" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/taxi" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-2:123456789012:log-group:taxi" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-2:123456789012:function:taxi" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = { execution_arn = "arn:aws:execute-api:us-east-2:123456789012:api" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { invoke_arn = "arn:aws:apigateway:us-east-2:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-2:123456789012:function:taxi:live/invocations" }
  }
}

variables {
  name       = "taxi-duration-test"
  image      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/lambda@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  bucket     = "models"
  bucket_arn = "arn:aws:s3:::models"
}

run "the_api_asks_the_alias" {
  assert {
    condition     = aws_apigatewayv2_integration.service.integration_uri == aws_lambda_alias.live.invoke_arn && aws_lambda_alias.live.name == "live"
    error_message = "Requests must go to the alias live."
  }
  assert {
    condition     = aws_lambda_permission.api.qualifier == "live" && endswith(aws_lambda_permission.api.source_arn, "/*/$default")
    error_message = "The API may call the alias, and nobody else may."
  }
}

run "requests_are_limited" {
  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 50 && aws_lambda_function.service.reserved_concurrent_executions == 20
    error_message = "The number of requests must have a limit."
  }
}

# What `taxi deploy lambda` set is its own: only the image is Terraform's.
run "another_image_updates_the_function_and_leaves_its_model" {
  variables {
    image  = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/lambda@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    bucket = "another"
  }

  assert {
    condition     = endswith(aws_lambda_function.service.image_uri, "bbbb")
    error_message = "The image must follow its digest."
  }
  assert {
    condition     = aws_lambda_function.service.environment[0].variables["TAXI_S3_BUCKET"] == "models"
    error_message = "Terraform must leave the environment alone."
  }
}

run "a_tag_is_refused" {
  command = plan

  variables {
    image = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/lambda:latest"
  }

  expect_failures = [var.image]
}
