output "id" {
  description = "The instance, for `aws ssm start-session --target`."
  value       = aws_instance.stack.id
}

output "role_arn" {
  description = "Role that whoever deploys must be able to pass to EC2."
  value       = aws_iam_role.instance.arn
}

output "revision" {
  description = "Hash of all that the instance gets: files, images, environment. Another one has it start again."
  value       = local.revision
}
