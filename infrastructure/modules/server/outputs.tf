output "task_definition_arn" {
  description = "The present task definition."
  value       = aws_ecs_task_definition.server.arn
}

output "task_definition_family" {
  description = "Its name, under which `aws ecs run-task` takes the latest."
  value       = aws_ecs_task_definition.server.family
}

output "service_name" {
  description = "The ECS service; empty where it is only run once."
  value       = join("", aws_ecs_service.server[*].name)
}

output "roles" {
  description = "Roles that whoever deploys must be able to pass to ECS."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}
