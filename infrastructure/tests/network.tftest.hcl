mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "taxi-duration-staging"
}

run "the_world_gets_in_by_tls_at_the_balancer_only" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.tls.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_ingress_rule.tls.from_port == 443 && aws_vpc_security_group_ingress_rule.tls.to_port == 443
    error_message = "The balancer takes port 443."
  }

  assert {
    condition     = alltrue([for rule in merge(aws_vpc_security_group_ingress_rule.way, aws_vpc_security_group_ingress_rule.door) : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.from_port == rule.to_port])
    error_message = "All other ways in name a security group and one port."
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.way : rule.from_port]) == toset([9696, 6789, 5000, 3000, 5432])
    error_message = "The ways are those of the four servers and the database."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.internet : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Out goes HTTPS alone."
  }

  assert {
    condition     = !contains(keys(aws_vpc_security_group_egress_rule.internet), "database") && !contains(keys(aws_vpc_security_group_egress_rule.internet), "balancer")
    error_message = "Neither the database nor the balancer reaches the internet."
  }
}

run "subnets_lie_in_as_many_zones_as_asked" {
  command = plan

  variables {
    zones = 3
  }

  module {
    source = "./modules/network"
  }

  assert {
    condition     = [for subnet in aws_subnet.private : subnet.availability_zone] == ["us-east-2a", "us-east-2b", "us-east-2c"]
    error_message = "One private subnet in each zone, in a stable order."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address by itself."
  }

  assert {
    condition     = length(distinct([for subnet in concat(aws_subnet.private, aws_subnet.public) : subnet.cidr_block])) == 6
    error_message = "No two subnets share addresses."
  }
}

run "doors_replace_the_way_out" {
  command = plan

  variables {
    nat                 = false
    interface_endpoints = true
  }

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_vpc_security_group_egress_rule.internet) == 0
    error_message = "Without NAT nothing goes to the internet."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
    error_message = "Images, logs and secrets come through private doors."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.door)) == toset(["web-service", "mage", "mlflow", "grafana", "provision"])
    error_message = "Every server may use the doors."
  }
}

run "with_doors_and_nat_only_mage_reaches_the_internet" {
  command = plan

  variables {
    interface_endpoints = true
  }

  module {
    source = "./modules/network"
  }

  assert {
    condition     = keys(aws_vpc_security_group_egress_rule.internet) == ["mage"]
    error_message = "Mage asks the City; nobody else has anything to ask outside."
  }
}

run "neither_nat_nor_doors_is_refused" {
  command = plan

  variables {
    nat = false
  }

  module {
    source = "./modules/network"
  }

  expect_failures = [var.nat]
}
