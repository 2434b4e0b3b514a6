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
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-2:123456789012:task-definition/taxi:1" }
  }
}

variables {
  name              = "taxi-duration-test"
  server            = "web-service"
  image             = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  cluster_arn       = "arn:aws:ecs:us-east-2:123456789012:cluster/taxi"
  cluster_name      = "taxi"
  log_group         = "/taxi/web-service"
  subnet_ids        = ["subnet-1"]
  security_group_id = "sg-1"
  port              = 9696
  target_group_arns = ["arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/taxi/3"]
  health_check      = ["CMD", "true"]
  secrets = {
    TAXI_DATABASE_URL = "arn:aws:secretsmanager:us-east-2:123456789012:secret:taxi/url-AbCdEf"
    ADMINISTRATOR     = "arn:aws:secretsmanager:us-east-2:123456789012:secret:rds-GhIjKl:password::"
  }
}

run "the_server_writes_only_to_folders_that_are_its_own" {
  command = plan

  assert {
    condition     = alltrue([for c in jsondecode(aws_ecs_task_definition.server.container_definitions) : c.readonlyRootFilesystem])
    error_message = "Each container's root must be read-only."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.server.container_definitions)[0].user == "10001:10001"
    error_message = "The server must not run as root."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.server.container_definitions)[0].dependsOn == [{ containerName = "folders", condition = "SUCCESS" }]
    error_message = "The server must wait until its folders are its own."
  }
}

run "secrets_come_by_name_and_never_as_values" {
  command = plan

  assert {
    condition     = toset([for s in jsondecode(aws_ecs_task_definition.server.container_definitions)[0].secrets : s.valueFrom]) == toset(values(var.secrets))
    error_message = "Each secret must be a reference."
  }
  assert {
    condition     = toset(local.secret_arns) == toset(["arn:aws:secretsmanager:us-east-2:123456789012:secret:taxi/url-AbCdEf", "arn:aws:secretsmanager:us-east-2:123456789012:secret:rds-GhIjKl"])
    error_message = "Rights are given for exactly the secrets used, without the key of a JSON secret."
  }
  assert {
    condition     = local.repository_arn == "arn:aws:ecr:us-east-2:123456789012:repository/taxi-duration/web-service"
    error_message = "Only the server's own image may be fetched."
  }
}

run "many_tasks_are_replaced_one_by_one_and_a_failed_start_goes_back" {
  command = plan

  assert {
    condition     = aws_ecs_service.server[0].deployment_minimum_healthy_percent == 100 && aws_ecs_service.server[0].deployment_maximum_percent == 200
    error_message = "The old task must stay until the new one answers."
  }
  assert {
    condition     = aws_ecs_service.server[0].deployment_circuit_breaker[0].enable && aws_ecs_service.server[0].deployment_circuit_breaker[0].rollback
    error_message = "A start that fails must end in the former task."
  }
  assert {
    condition     = !aws_ecs_service.server[0].network_configuration[0].assign_public_ip
    error_message = "A task must have no public address."
  }
}

run "a_scheduler_is_never_there_twice" {
  command = plan

  variables {
    single = true
  }

  assert {
    condition     = aws_ecs_service.server[0].deployment_minimum_healthy_percent == 0 && aws_ecs_service.server[0].deployment_maximum_percent == 100
    error_message = "The old scheduler must end before the new one starts."
  }
}

run "provision_is_a_task_that_somebody_runs" {
  command = plan

  variables {
    run_once          = true
    port              = 0
    target_group_arns = []
    health_check      = []
  }

  assert {
    condition     = length(aws_ecs_service.server) == 0
    error_message = "Nothing may start it by itself, again and again."
  }
}

run "a_server_without_prefixes_has_no_right_to_the_bucket" {
  command = plan

  assert {
    condition     = length(aws_iam_role_policy.bucket) == 0
    error_message = "The service reads its models from MLflow."
  }
}

run "load_brings_more_tasks" {
  command = plan

  variables {
    autoscaling = { min = 2, max = 6, cpu_percent = 60 }
  }

  assert {
    condition     = aws_appautoscaling_target.server[0].min_capacity == 2 && aws_appautoscaling_target.server[0].max_capacity == 6
    error_message = "The number of tasks must stay within its limits."
  }
}

run "a_tag_is_refused" {
  command = plan

  variables {
    image = "123456789012.dkr.ecr.us-east-2.amazonaws.com/taxi-duration/web-service:latest"
  }

  expect_failures = [var.image]
}
