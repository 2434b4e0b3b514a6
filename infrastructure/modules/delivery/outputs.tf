output "plan_role_arn" {
  description = "Taken by pull requests: reads, changes nothing."
  value       = aws_iam_role.plan.arn
}

output "push_role_arn" {
  description = "Taken by main: pushes images."
  value       = aws_iam_role.push.arn
}

output "deploy_role_arns" {
  description = "Taken by each GitHub environment: changes that environment's resources."
  value       = { for environment, role in aws_iam_role.deploy : environment => role.arn }
}

output "boundary_arn" {
  description = "What no role that Terraform makes may go beyond."
  value       = aws_iam_policy.boundary.arn
}
