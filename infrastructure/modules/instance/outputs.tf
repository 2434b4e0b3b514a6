output "id" {
  description = "The instance, for `aws ssm start-session --target`."
  value       = aws_instance.stack.id
}

output "security_group_id" {
  description = "Its security group."
  value       = aws_security_group.instance.id
}

output "role_arn" {
  description = "Role that whoever deploys must be able to pass to EC2."
  value       = aws_iam_role.instance.arn
}
