locals {
  parts   = setunion(var.parts, ["balancer"])
  servers = { "web-service" = 9696, mage = 6789, mlflow = 5000, grafana = 3000 }
  all_ways = concat(
    [for part, port in local.servers : { from = "balancer", to = part, port = port }],
    [for part, port in local.servers : { from = "balancer", to = "instance", port = port }],
    [for part in ["web-service", "mage", "mlflow", "grafana", "provision"] : { from = part, to = "database", port = 5432 }],
    [for part in ["web-service", "mage"] : { from = part, to = "mlflow", port = local.servers.mlflow }],
    [{ from = "mage", to = "web-service", port = local.servers["web-service"] }],
  )

  # All the ways there are: who may open a connection to whom, and to which port.
  ways = {
    for way in local.all_ways : "${way.from}-${way.to}-${way.port}" => way
    if contains(local.parts, way.from) && contains(local.parts, way.to)
  }

  # Images, secrets and logs come over HTTPS: through private doors where there are some, else by NAT.
  # The City's API is on the internet, and so is what an instance installs.
  to_aws      = setsubtract(local.parts, ["balancer", "database"])
  to_doors    = var.interface_endpoints ? local.to_aws : toset([])
  to_internet = !var.nat ? toset([]) : var.interface_endpoints ? setintersection(local.parts, ["mage", "instance"]) : local.to_aws
}

resource "aws_security_group" "part" {
  #checkov:skip=CKV2_AWS_5:the balancer, the tasks, the instance and the database carry them, in other modules
  for_each    = local.parts
  name        = "${var.name}-${each.key}"
  description = "Who may reach ${each.key}, and whom it may reach"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${each.key}" }
}

# The one way in from outside.
resource "aws_vpc_security_group_ingress_rule" "tls" {
  security_group_id = aws_security_group.part["balancer"].id
  description       = "TLS from anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "way" {
  for_each                     = local.ways
  security_group_id            = aws_security_group.part[each.value.to].id
  referenced_security_group_id = aws_security_group.part[each.value.from].id
  description                  = "from ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "way" {
  for_each                     = local.ways
  security_group_id            = aws_security_group.part[each.value.from].id
  referenced_security_group_id = aws_security_group.part[each.value.to].id
  description                  = "to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each          = local.to_internet
  security_group_id = aws_security_group.part[each.key].id
  description       = "HTTPS by NAT"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each          = local.to_doors
  security_group_id = aws_security_group.part[each.key].id
  description       = "S3 by its endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "door" {
  for_each                     = local.to_doors
  security_group_id            = aws_security_group.part[each.key].id
  referenced_security_group_id = aws_security_group.endpoints[0].id
  description                  = "AWS services by their endpoints"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "door" {
  for_each                     = local.to_doors
  security_group_id            = aws_security_group.endpoints[0].id
  referenced_security_group_id = aws_security_group.part[each.key].id
  description                  = "from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
