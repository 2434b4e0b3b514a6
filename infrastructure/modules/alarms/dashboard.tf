# What Prometheus counts elsewhere, as far as the balancer and AWS count it. Each part is one row.

locals {
  region = data.aws_region.here.name

  panels = concat(local.balancer_panels, local.server_panels, local.database_panels, local.function_panels, local.instance_panels)
}

data "aws_region" "here" {}

resource "aws_cloudwatch_dashboard" "overview" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [for index, panel in local.panels : {
        type = "metric", x = 8 * (index % 3), y = 6 * floor(index / 3), width = 8, height = 6,
        properties = {
          title = panel.title, region = local.region, period = 60, stat = panel.stat, metrics = panel.metrics
        }
      }],
      [{
        type = "alarm", x = 0, y = 6 * ceil(length(local.panels) / 3), width = 24, height = 4,
        properties = {
          title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.arn]
        }
      }],
    )
  })
}
