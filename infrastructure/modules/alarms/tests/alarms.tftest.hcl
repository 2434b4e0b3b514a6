mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-2" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-2:123456789012:alarms" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-2:123456789012:alarm:one" }
  }
}

variables {
  name = "taxi-duration-test"
}

run "what_is_not_there_alarms_nobody" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.alarm) == 0 && length(aws_sns_topic_subscription.mail) == 0
    error_message = "Without parts there are no alarms."
  }
}

run "every_part_has_its_alarms" {
  variables {
    mail     = "somebody@example.com"
    balancer = { arn_suffix = "app/taxi/1", target_groups = { service = "targetgroup/service/1", mage = "targetgroup/mage/1" } }
    servers  = { cluster = "taxi", services = { mage = "mage" } }
    database = { identifier = "taxi", storage_gib = 20, max_connections = 110 }
    function = { name = "taxi", api_id = "abc" }
    instance = { id = "i-1" }
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.alarm)) == toset([
      "service-errors", "balancer-errors", "slow", "unhealthy-service", "unhealthy-mage", "not-running-mage",
      "database-disk", "database-processor", "database-connections",
      "lambda-errors", "lambda-throttled", "lambda-api-errors", "instance-down", "instance-processor",
    ])
    error_message = "An alarm is missing, or is new and not named here."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.alarm : length(alarm.alarm_actions) == 1 && length(alarm.alarm_description) > 60])
    error_message = "Each alarm must tell somebody, and say what to do."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["not-running-mage"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.alarm["not-running-mage"].comparison_operator == "LessThanThreshold"
    error_message = "A scheduler of which nothing is heard is a scheduler that is gone."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.alarm["slow"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.alarm["database-disk"].threshold == 4 * 1024 * 1024 * 1024
    error_message = "Thresholds are not those that the descriptions argue for."
  }
}
