output "topic_arn" {
  description = "Where alarms are published."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard" {
  description = "Name of the dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.overview.dashboard_name
}
