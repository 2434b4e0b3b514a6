locals {
  server_alarms = merge([for servers in var.servers[*] : {
    for name, service in servers.services : "not-running-${name}" => {
      description = "No task of ${name} ran for five minutes; of Mage: nothing is scheduled meanwhile. Look at the events of the ECS service."
      namespace   = "ECS/ContainerInsights"
      metric      = "RunningTaskCount"
      statistic   = "Maximum"
      dimensions  = { ClusterName = servers.cluster, ServiceName = service }
      below       = 1
      minutes     = 5
      missing     = "breaching"
    }
  }]...)

  server_panels = flatten([for servers in var.servers[*] : [
    { title = "Processor of the tasks, percent", stat = "Average", metrics = [
      for service in values(servers.services) : ["AWS/ECS", "CPUUtilization", "ClusterName", servers.cluster, "ServiceName", service]
    ] },
    { title = "Memory of the tasks, percent", stat = "Maximum", metrics = [
      for service in values(servers.services) : ["AWS/ECS", "MemoryUtilization", "ClusterName", servers.cluster, "ServiceName", service]
    ] },
  ]])
}
