output "target_group_arns" {
  description = "Target groups by target; known only when the listener sends requests to them, as ECS demands."
  value       = { for name, group in aws_lb_target_group.target : name => group.arn }
  depends_on  = [aws_lb_listener_rule.target]
}

output "urls" {
  description = "Address of each target."
  value       = { for name, target in var.targets : name => "https://${name}.${var.domain}" }
}

output "dns_name" {
  description = "What the host names have to be aliases of."
  value       = aws_lb.balancer.dns_name
}

output "arn_suffix" {
  description = "The balancer in CloudWatch's metrics."
  value       = aws_lb.balancer.arn_suffix
}

output "target_group_arn_suffixes" {
  description = "The target groups in CloudWatch's metrics, by target."
  value       = { for name, group in aws_lb_target_group.target : name => group.arn_suffix }
}
