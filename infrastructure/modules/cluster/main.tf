resource "aws_ecs_cluster" "cluster" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# Within the network servers find each other by name, without a second balancer.
resource "aws_service_discovery_private_dns_namespace" "servers" {
  name        = "${var.name}.internal"
  description = "Servers of ${var.name}"
  vpc         = var.vpc_id
}

resource "aws_cloudwatch_log_group" "server" {
  # checkov:skip=CKV_AWS_158: CloudWatch encrypts with a key of AWS; one of our own would keep out nobody that the rights let in.
  # checkov:skip=CKV_AWS_338: A variable: a year unless told otherwise.
  for_each = var.servers

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}
