mock_provider "aws" {
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/taxi/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-2:123456789012:listener/app/taxi/1/2" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/taxi/3" }
  }
}

variables {
  name              = "taxi-duration-test"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  domain            = "taxi.example.com"
  certificate_arn   = "arn:aws:acm:us-east-2:123456789012:certificate/4"
  targets = {
    service = { port = 9696, health_path = "/health" }
    mlflow  = { port = 5000, health_path = "/health", sources = ["192.0.2.0/24"], sign_in = true }
  }
}

run "only_tls_1_2_and_later_on_port_443" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "The listener is not HTTPS on 443."
  }
  assert {
    condition     = startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2")
    error_message = "The policy takes older TLS."
  }
  assert {
    condition     = aws_lb.balancer.drop_invalid_header_fields && aws_lb.balancer.enable_deletion_protection
    error_message = "Invalid headers must be dropped and the balancer protected, unless told otherwise."
  }
}

run "a_name_that_nobody_has_gets_404" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "404"
    error_message = "An unknown host name must not reach a server."
  }
}

run "each_target_has_a_host_name_of_the_domain" {
  command = plan

  assert {
    condition     = output.urls == { service = "https://service.taxi.example.com", mlflow = "https://mlflow.taxi.example.com" }
    error_message = "Names must be derived from the domain."
  }
  assert {
    condition     = one([for c in aws_lb_listener_rule.target["mlflow"].condition : c.source_ip if length(c.source_ip) > 0])[0].values == toset(["192.0.2.0/24"])
    error_message = "Only the addresses named may call MLflow."
  }
  assert {
    condition     = length([for c in aws_lb_listener_rule.target["service"].condition : c if length(c.source_ip) > 0]) == 0
    error_message = "Everybody may call the service."
  }
}

run "a_provider_is_asked_only_where_sign_in_is_wanted" {
  command = plan

  variables {
    oidc = {
      issuer                 = "https://login.example.com"
      authorization_endpoint = "https://login.example.com/authorize"
      token_endpoint         = "https://login.example.com/token"
      user_info_endpoint     = "https://login.example.com/user"
      client_id              = "taxi"
      client_secret          = "only-a-test" # pragma: allowlist secret
    }
  }

  assert {
    condition     = aws_lb_listener_rule.target["mlflow"].action[0].type == "authenticate-oidc"
    error_message = "MLflow must be behind the provider."
  }
  assert {
    condition     = aws_lb_listener_rule.target["service"].action[0].type == "forward"
    error_message = "Programs that ask the service cannot sign in."
  }
}
