output "arns" {
  description = "ARN of each secret, by the variable that takes its value."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.arn }
}
