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
  mock_data "aws_ssm_parameter" {
    defaults = { value = "ami-0123456789abcdef0" }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "us-east-2a" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0" }
  }
}

variables {
  name              = "taxi-duration-test"
  subnet_id         = "subnet-1"
  security_group_id = "sg-1"
  domain            = "taxi.example.com"
  bucket            = "files"
  bucket_arn        = "arn:aws:s3:::files"
  folder            = "./tests"
  files             = ["instance.tftest.hcl"]
  secrets           = { TAXI_FIRST = "arn:aws:secretsmanager:us-east-2:123456789012:secret:taxi/first-AbCdEf" }
  target_group_arns = {
    service = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/service/1"
    mage    = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/mage/1"
    mlflow  = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/mlflow/1"
    grafana = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/grafana/1"
  }
  images = {
    mage        = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mage@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    mlflow      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mlflow@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    web-service = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    grafana     = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/grafana@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }
}

run "the_machine_is_closed_and_encrypted" {
  assert {
    condition     = aws_instance.stack.metadata_options[0].http_tokens == "required" && aws_instance.stack.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Metadata must need a token, and containers must not reach it."
  }
  assert {
    condition     = aws_ebs_volume.data.encrypted && aws_instance.stack.root_block_device[0].encrypted
    error_message = "Its disks must be encrypted."
  }
}

run "each_container_of_ours_is_named_by_its_digest" {
  assert {
    condition     = alltrue([for name, service in yamldecode(aws_s3_object.made["docker-compose.aws.yml"].content).services : strcontains(service.image, "@sha256:")])
    error_message = "An image without digest."
  }
  assert {
    condition     = !strcontains(aws_s3_object.made["settings.env"].content, "TAXI_FIRST")
    error_message = "Secrets must not lie in the bucket."
  }
}

run "the_same_again_starts_nothing" {
  assert {
    condition     = aws_ssm_association.start[0].parameters["Revision"] == run.each_container_of_ours_is_named_by_its_digest.revision
    error_message = "Nothing changed, so nothing may start."
  }
}

run "another_image_has_the_machine_start_it" {
  variables {
    images = {
      mage        = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mage@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      mlflow      = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mlflow@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      web-service = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      grafana     = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/grafana@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    }
  }

  assert {
    condition     = aws_ssm_association.start[0].parameters["Revision"] != run.each_container_of_ours_is_named_by_its_digest.revision
    error_message = "A new digest must start the stack anew."
  }
}

run "a_tag_is_refused" {
  command = plan

  variables {
    images = { mage = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/mage:latest" }
  }

  expect_failures = [var.images]
}
