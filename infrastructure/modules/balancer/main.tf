# The one thing that is open to the internet: port 443, in TLS 1.2 or later. Port 80 is not opened, so
# that no password is ever sent in the clear before a redirect.

# An OpenID provider is asked for tokens by the balancer itself.
resource "aws_vpc_security_group_egress_rule" "oidc" {
  count = nonsensitive(var.oidc == null) ? 0 : 1

  security_group_id = var.security_group_id
  description       = "To the OpenID provider"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_lb" "balancer" {
  # checkov:skip=CKV2_AWS_28: A web application firewall costs more than the service; the service limits size, time and number of requests itself (docs/api.md).
  # checkov:skip=CKV_AWS_150: A variable: true unless told otherwise, as staging does so that it can be destroyed.
  # checkov:skip=CKV_AWS_91: A variable: a bucket where access logs are wanted.
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids
  security_groups            = [var.security_group_id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  desync_mitigation_mode     = "strictest"

  dynamic "access_logs" {
    for_each = var.access_logs == null ? [] : [var.access_logs]
    content {
      enabled = true
      bucket  = access_logs.value.bucket
      prefix  = access_logs.value.prefix
    }
  }
}

resource "aws_lb_target_group" "target" {
  # checkov:skip=CKV_AWS_378: TLS ends at the balancer; behind it is the private network, and security groups let in the balancer alone.
  for_each = var.targets

  # Another port or kind needs another group beside the old one, so the name carries both.
  name                 = substr("${each.key}-${substr(md5("${var.name}-${each.value.port}-${var.target_type}"), 0, 6)}", 0, 32)
  vpc_id               = var.vpc_id
  target_type          = var.target_type
  protocol             = "HTTP"
  port                 = each.value.port
  deregistration_delay = 30

  health_check {
    path                = each.value.health_path
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.balancer.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "There is nothing under this name."
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "target" {
  for_each = var.targets

  listener_arn = aws_lb_listener.https.arn

  dynamic "action" {
    for_each = each.value.sign_in && nonsensitive(var.oidc != null) ? [var.oidc] : []
    content {
      type  = "authenticate-oidc"
      order = 1
      authenticate_oidc {
        issuer                 = action.value.issuer
        authorization_endpoint = action.value.authorization_endpoint
        token_endpoint         = action.value.token_endpoint
        user_info_endpoint     = action.value.user_info_endpoint
        client_id              = action.value.client_id
        client_secret          = action.value.client_secret
      }
    }
  }

  action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.target[each.key].arn
  }

  condition {
    host_header {
      values = ["${each.key}.${var.domain}"]
    }
  }

  dynamic "condition" {
    for_each = length(each.value.sources) == 0 ? [] : [each.value.sources]
    content {
      source_ip {
        values = condition.value
      }
    }
  }
}

resource "aws_route53_record" "target" {
  for_each = var.zone_id == "" ? {} : var.targets

  zone_id = var.zone_id
  name    = "${each.key}.${var.domain}"
  type    = "A"

  alias {
    name                   = aws_lb.balancer.dns_name
    zone_id                = aws_lb.balancer.zone_id
    evaluate_target_health = false
  }
}
