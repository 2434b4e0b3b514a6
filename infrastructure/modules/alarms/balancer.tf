locals {
  balancer_alarms = merge([for balancer in var.balancer[*] : merge(
    {
      "service-errors" = {
        description = "The service answered with 5xx more than ten times in five minutes. It answers 4xx to bad requests, so each is a fault or a missing model. Look at the logs of web-service, and at /ready."
        namespace   = "AWS/ApplicationELB"
        metric      = "HTTPCode_Target_5XX_Count"
        statistic   = "Sum"
        dimensions  = { LoadBalancer = balancer.arn_suffix, TargetGroup = balancer.target_groups["service"] }
        above       = 10
        minutes     = 5
      }
      "balancer-errors" = {
        description = "The balancer itself answered with 5xx more than ten times in five minutes: no healthy target, or connections that broke. Look at the events of the ECS services."
        namespace   = "AWS/ApplicationELB"
        metric      = "HTTPCode_ELB_5XX_Count"
        statistic   = "Sum"
        dimensions  = { LoadBalancer = balancer.arn_suffix }
        above       = 10
        minutes     = 5
      }
      "slow" = {
        description = "One answer in a hundred took longer than ${var.slow_seconds} s, over ten minutes; milliseconds are usual. Look at the processor of web-service, and at the length of the lists it is asked for."
        namespace   = "AWS/ApplicationELB"
        metric      = "TargetResponseTime"
        statistic   = "p99"
        dimensions  = { LoadBalancer = balancer.arn_suffix, TargetGroup = balancer.target_groups["service"] }
        above       = var.slow_seconds
        minutes     = 10
      }
    },
    {
      for name, group in balancer.target_groups : "unhealthy-${name}" => {
        description = "${name} failed its health check for five minutes; a start takes less than two. Look at its logs."
        namespace   = "AWS/ApplicationELB"
        metric      = "UnHealthyHostCount"
        statistic   = "Maximum"
        dimensions  = { LoadBalancer = balancer.arn_suffix, TargetGroup = group }
        above       = 0
        minutes     = 5
      }
    },
  )]...)

  balancer_panels = flatten([for balancer in var.balancer[*] : [
    { title = "Answers a minute", stat = "Sum", metrics = [
      for code in ["2XX", "4XX", "5XX"] : ["AWS/ApplicationELB", "HTTPCode_Target_${code}_Count", "LoadBalancer", balancer.arn_suffix, "TargetGroup", balancer.target_groups["service"]]
    ] },
    { title = "Seconds to an answer, median and 99th percentile", stat = "p50", metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", balancer.arn_suffix, "TargetGroup", balancer.target_groups["service"]],
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", balancer.arn_suffix, "TargetGroup", balancer.target_groups["service"], { stat = "p99" }],
    ] },
    { title = "Healthy targets", stat = "Minimum", metrics = [
      for name, group in balancer.target_groups : ["AWS/ApplicationELB", "HealthyHostCount", "LoadBalancer", balancer.arn_suffix, "TargetGroup", group, { label = name }]
    ] },
  ]])
}
