output "identifier" {
  description = "Name of the instance, for alarms."
  value       = aws_db_instance.this.identifier
}

output "address" {
  description = "Host name, in the VPC only."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "TCP port."
  value       = aws_db_instance.this.port
}

output "admin_username" {
  description = "The administrator, used by `taxi provision` alone."
  value       = aws_db_instance.this.username
}

output "admin_secret_arn" {
  description = "The secret that RDS made and rotates: JSON with username and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
