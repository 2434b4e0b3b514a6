output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "public_subnets" {
  description = "For the load balancer only."
  value       = aws_subnet.public[*].id
}

output "private_subnets" {
  description = "For all that works: tasks, the instance, the database."
  value       = aws_subnet.private[*].id
}

output "security_groups" {
  description = "Id of each part's security group: balancer, web-service, mage, mlflow, grafana, provision, instance, database."
  value       = { for part, group in aws_security_group.part : part => group.id }
}
