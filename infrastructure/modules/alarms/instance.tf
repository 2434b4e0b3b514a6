locals {
  instance_alarms = merge([for instance in var.instance[*] : {
    "instance-down" = {
      description = "The instance failed AWS's checks for five minutes, or is gone. Look at it in the console; its data lies on a volume of its own."
      namespace   = "AWS/EC2"
      metric      = "StatusCheckFailed"
      statistic   = "Maximum"
      dimensions  = { InstanceId = instance.id }
      above       = 0
      minutes     = 5
      missing     = "breaching"
    }
    "instance-processor" = {
      description = "The instance used more than 90% of its processor for an hour; a monthly run takes minutes. Take a larger instance_type."
      namespace   = "AWS/EC2"
      metric      = "CPUUtilization"
      statistic   = "Average"
      dimensions  = { InstanceId = instance.id }
      above       = 90
      minutes     = 60
    }
  }]...)

  instance_panels = flatten([for instance in var.instance[*] : [
    { title = "Instance: processor, percent", stat = "Average", metrics = [["AWS/EC2", "CPUUtilization", "InstanceId", instance.id]] },
  ]])
}
