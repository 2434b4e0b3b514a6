# Each alarm says in its description what it found, why the threshold is where it is, and what to do.

resource "aws_sns_topic" "alarms" {
  # checkov:skip=CKV_AWS_26: CloudWatch may not use AWS's own key for SNS, and the messages hold no secret: names and figures.
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "mail" {
  count = var.mail == "" ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.mail
}

locals {
  # One list of all alarms; a part that is not there adds none.
  alarms = merge(
    local.balancer_alarms, local.server_alarms, local.database_alarms, local.function_alarms,
    local.instance_alarms,
  )

  percentile = "^p[0-9]"
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = can(regex(local.percentile, each.value.statistic)) ? null : each.value.statistic
  extended_statistic  = can(regex(local.percentile, each.value.statistic)) ? each.value.statistic : null
  dimensions          = each.value.dimensions
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.below, each.value.above)
  period              = 60 * each.value.minutes
  evaluation_periods  = 1
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
