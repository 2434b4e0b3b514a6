data "aws_region" "here" {}
data "aws_partition" "here" {}
data "aws_caller_identity" "here" {}

locals {
  log_arn = "arn:${data.aws_partition.here.partition}:logs:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:log-group:${aws_cloudwatch_log_group.function.name}"
}

# Lambda writes to the group of this name; it is made here so that its logs end some day.
resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_158: CloudWatch encrypts with a key of AWS; one of our own would keep out nobody that the rights let in.
  # checkov:skip=CKV_AWS_338: A variable: a year unless told otherwise.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "service" {
  # checkov:skip=CKV_AWS_116: Requests are answered at once; a queue for failed events would stay empty.
  # checkov:skip=CKV_AWS_117: It needs nothing of the network: its model is in S3. In the VPC it would start more slowly.
  # checkov:skip=CKV_AWS_173: The environment holds no secret.
  # checkov:skip=CKV_AWS_50: One function in front of nothing: a trace would say what the log says.
  # checkov:skip=CKV_AWS_272: Lambda checks signatures of zip files only; the image is named by its digest.
  # checkov:skip=CKV_AWS_115: A variable: 20 unless told otherwise.
  function_name                  = var.name
  description                    = "How long a taxi trip takes"
  package_type                   = "Image"
  image_uri                      = var.image
  architectures                  = ["x86_64"]
  role                           = aws_iam_role.function.arn
  memory_size                    = var.memory
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency

  # TAXI_MODEL_FOLDER is added by `taxi deploy lambda`: without it the function does not start.
  environment {
    variables = {
      TAXI_HOME      = "/tmp/taxi"
      TAXI_S3_BUCKET = var.bucket
      TAXI_S3_REGION = data.aws_region.here.name
    }
  }

  lifecycle {
    # Which model answers is not Terraform's: `taxi deploy lambda` says it here.
    ignore_changes = [environment]
  }

  depends_on = [aws_iam_role_policy.function]
}

# Callers get what the alias points to. `taxi deploy lambda` publishes, asks the golden trips and moves it,
# for another model and (--keep-model) for another image; its description keeps the way back.
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.service.function_name
  function_version = "$LATEST"

  lifecycle {
    ignore_changes = [function_version, description, routing_config]
  }
}

resource "aws_apigatewayv2_api" "service" {
  name          = var.name
  description   = "How long a taxi trip takes"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "service" {
  api_id                 = aws_apigatewayv2_api.service.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 1000 * var.timeout_seconds
}

resource "aws_apigatewayv2_route" "all" {
  # checkov:skip=CKV_AWS_309: The service answers anybody, as under its own port; the stage limits how many.
  api_id    = aws_apigatewayv2_api.service.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.service.id}"
}

resource "aws_cloudwatch_log_group" "api" {
  # checkov:skip=CKV_AWS_158: As above.
  # checkov:skip=CKV_AWS_338: As above.
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.service.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.requests_per_second
    throttling_burst_limit   = var.burst
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      time    = "$context.requestTime"
      request = "$context.requestId"
      method  = "$context.httpMethod"
      path    = "$context.path"
      status  = "$context.status"
      latency = "$context.responseLatency"
      error   = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.service.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.service.execution_arn}/*/$default"
}
