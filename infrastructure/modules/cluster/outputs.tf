output "arn" {
  description = "The cluster."
  value       = aws_ecs_cluster.cluster.arn
}

output "name" {
  description = "The cluster's name."
  value       = aws_ecs_cluster.cluster.name
}

output "namespace_id" {
  description = "Where servers are registered that others find by name."
  value       = aws_service_discovery_private_dns_namespace.servers.id
}

output "namespace" {
  description = "The domain of these names: MLflow is at http://mlflow.<namespace>:5000."
  value       = aws_service_discovery_private_dns_namespace.servers.name
}

output "log_groups" {
  description = "Names of the groups of logs, by server."
  value       = { for name, group in aws_cloudwatch_log_group.server : name => group.name }
}
