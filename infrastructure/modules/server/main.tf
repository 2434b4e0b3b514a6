data "aws_region" "here" {}

locals {
  name = "${var.name}-${var.server}"

  volumes = { for path in var.writable : trim(replace(path, "/", "-"), "-") => path }
  mounts = [
    for name, path in local.volumes : { sourceVolume = name, containerPath = path, readOnly = false }
  ]
  logging = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = var.log_group
      awslogs-region        = data.aws_region.here.name
      awslogs-stream-prefix = var.server
    }
  }

  # A task's volumes belong to root. This one gives them to the server's user, then ends.
  folders = {
    name                   = "folders"
    image                  = var.image
    essential              = false
    user                   = "0"
    readonlyRootFilesystem = true
    entryPoint             = ["/bin/sh", "-c"]
    command                = ["chown ${var.user} ${join(" ", var.writable)} && chmod 700 ${join(" ", var.writable)}"]
    mountPoints            = local.mounts
    logConfiguration       = local.logging
  }

  server = merge(
    {
      name                   = var.server
      image                  = var.image
      essential              = true
      user                   = var.user
      readonlyRootFilesystem = true
      # A process that ends leaves no zombies, and signals reach the server.
      linuxParameters  = { initProcessEnabled = true }
      stopTimeout      = var.stop_seconds
      environment      = [for name, value in var.environment : { name = name, value = value }]
      secrets          = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
      mountPoints      = local.mounts
      logConfiguration = local.logging
    },
    length(var.writable) == 0 ? {} : {
      dependsOn = [{ containerName = "folders", condition = "SUCCESS" }]
    },
    var.command == null ? {} : { command = var.command },
    var.port == 0 ? {} : {
      portMappings = [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    },
    length(var.health_check) == 0 ? {} : {
      healthCheck = {
        command     = var.health_check
        interval    = 15
        timeout     = 5
        retries     = 4
        startPeriod = var.start_seconds
      }
    },
  )
}

resource "aws_ecs_task_definition" "server" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode(concat(
    [local.server], length(var.writable) == 0 ? [] : [local.folders]
  ))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = var.ephemeral_storage_gib
  }

  dynamic "volume" {
    for_each = local.volumes
    content {
      name = volume.key
    }
  }

  # The former ones stay registered: the circuit breaker goes back to one.
  skip_destroy = true

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_ecs_service" "server" {
  count = var.run_once ? 0 : 1

  name             = var.server
  cluster          = var.cluster_arn
  task_definition  = aws_ecs_task_definition.server.arn
  desired_count    = var.desired_count
  launch_type      = "FARGATE"
  platform_version = "LATEST"
  propagate_tags   = "SERVICE"

  # Of a server that is alone by its nature the old task ends first; of others it ends last.
  deployment_minimum_healthy_percent = var.single ? 0 : 100
  deployment_maximum_percent         = var.single ? 100 : 200
  health_check_grace_period_seconds  = length(var.target_group_arns) == 0 ? null : var.start_seconds

  # An apply ends when the new tasks are healthy, or fails when the circuit breaker went back.
  wait_for_steady_state = var.wait

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target_group_arns
    content {
      target_group_arn = load_balancer.value
      container_name   = var.server
      container_port   = var.port
    }
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.server[*].arn
    content {
      registry_arn = service_registries.value
    }
  }

  lifecycle {
    ignore_changes = [desired_count]
  }

  # Without its rights a task fails before it starts.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.bucket]
}

resource "aws_service_discovery_service" "server" {
  count = var.discoverable ? 1 : 0

  name = var.server

  dns_config {
    namespace_id   = var.namespace_id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  lifecycle {
    # The provider replaces the service where an empty block comes back.
    ignore_changes = [health_check_custom_config]
  }
}
