# The four servers on Fargate, and the task that makes their databases: what each is given, and no more.
locals {
  servers = {
    mlflow = {
      target                = "mlflow"
      port                  = 5000
      health_path           = "/health"
      cpu                   = 512
      memory                = 2048
      discoverable          = true
      single                = true
      user                  = "10001:10001"
      writable              = ["/var/lib/taxi", "/home/taxi", "/tmp"]
      ephemeral_storage_gib = 21
      write_prefixes        = ["mlflow/"]
      environment = {
        TAXI_HOST             = "0.0.0.0"
        TAXI_S3_BUCKET        = module.storage.bucket
        AWS_DEFAULT_REGION    = var.region
        MLFLOW_ADMIN_USERNAME = local.mlflow_admin
        # MLflow refuses names and origins that it was not told: rebinding of DNS, forged requests.
        MLFLOW_SERVER_ALLOWED_HOSTS        = local.ecs ? "mlflow.${var.domain},mlflow.${module.cluster[0].namespace}:5000" : ""
        MLFLOW_SERVER_CORS_ALLOWED_ORIGINS = module.balancer.urls.mlflow
      }
      secrets = ["MLFLOW_BACKEND_STORE_URI", "MLFLOW_ADMIN_PASSWORD", "MLFLOW_FLASK_SERVER_SECRET_KEY"]
    }

    # One scheduler: never two tasks.
    mage = {
      target                = "mage"
      port                  = 6789
      health_path           = "/api/status"
      cpu                   = 2048
      memory                = 8192
      discoverable          = false
      single                = true
      user                  = "10001:10001"
      writable              = ["/var/lib/taxi", "/home/taxi", "/tmp"]
      ephemeral_storage_gib = 30
      write_prefixes        = ["raw/", "lake/", "reports/"]
      environment = merge(local.clients, {
        TAXI_CITY_API          = "city"
        TAXI_S3_BUCKET         = module.storage.bucket
        TAXI_S3_REGION         = var.region
        TAXI_MAGE_URL          = module.balancer.urls.mage
        DEFAULT_OWNER_EMAIL    = var.owner_mail
        DEFAULT_OWNER_USERNAME = "owner"
        TAXI_MAGE_OWNER_EMAIL  = var.owner_mail
      })
      secrets = [
        "MAGE_DATABASE_CONNECTION_URL", "TAXI_DATABASE_URL", "JWT_SECRET", "DEFAULT_OWNER_PASSWORD",
        "TAXI_MAGE_OWNER_PASSWORD", "TAXI_MAGE_TRIGGER_TOKEN", "TAXI_MLFLOW_PASSWORD",
      ]
    }

    # Its models come through MLflow, so it needs no right to the bucket.
    web-service = {
      target                = "service"
      port                  = 9696
      health_path           = "/health"
      cpu                   = var.web_service.cpu
      memory                = var.web_service.memory
      discoverable          = true
      single                = false
      user                  = "10001:10001"
      writable              = ["/var/lib/taxi", "/tmp"]
      ephemeral_storage_gib = 21
      write_prefixes        = []
      # Longer than the 60 s for which the balancer keeps a connection: on one that is just ending, it
      # would give a caller 502.
      environment = merge(local.clients, { GUNICORN_CMD_ARGS = "--keep-alive=75" })
      secrets     = ["TAXI_DATABASE_URL", "TAXI_MLFLOW_PASSWORD"]
    }

    # Its dashboards and sources are files of the image; what people add lasts as long as the task.
    grafana = {
      target                = "grafana"
      port                  = 3000
      health_path           = null
      cpu                   = 256
      memory                = 512
      discoverable          = false
      single                = true
      user                  = "472:0"
      writable              = ["/var/lib/grafana", "/tmp"]
      ephemeral_storage_gib = 21
      write_prefixes        = []
      environment = {
        GF_SERVER_ROOT_URL        = module.balancer.urls.grafana
        GF_SECURITY_ADMIN_USER    = "admin"
        GF_SECURITY_COOKIE_SECURE = "true"
        MONITORING_POSTGRES       = local.ecs ? "${module.database[0].address}:${module.database[0].port}" : ""
        MONITORING_DATABASE       = "taxi"
        MONITORING_USER           = "taxi_grafana"
        MONITORING_SSLMODE        = "require"
        MONITORING_PROMETHEUS     = "http://127.0.0.1:9090"
      }
      secrets = ["GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_SECRET_KEY", "MONITORING_PASSWORD"]
    }
  }

  mlflow_admin = "admin"
  clients = {
    TAXI_HOST            = "0.0.0.0"
    TAXI_MLFLOW_URL      = local.ecs ? "http://mlflow.${module.cluster[0].namespace}:5000" : ""
    TAXI_MLFLOW_USERNAME = local.mlflow_admin
    TAXI_SERVICE_URL     = module.balancer.urls.service
    TAXI_MLFLOW_LINK     = module.balancer.urls.mlflow
    TAXI_MAGE_LINK       = module.balancer.urls.mage
  }

  # A task reads its secrets when it starts: another number makes another task definition.
  renewed = {
    for server, what in local.servers : server => {
      for variable in what.secrets : "GENERATION_${variable}" => tostring(var.generations[lookup(local.other_names, variable, variable)])
      if contains(keys(var.generations), lookup(local.other_names, variable, variable))
    }
  }

  # A secret that two processes know by two names is one secret.
  other_names = { TAXI_MLFLOW_PASSWORD = "MLFLOW_ADMIN_PASSWORD", TAXI_MAGE_OWNER_PASSWORD = "DEFAULT_OWNER_PASSWORD", MONITORING_PASSWORD = "TAXI_GRAFANA_DB_PASSWORD" }
}

module "cluster" {
  source  = "./modules/cluster"
  count   = local.ecs ? 1 : 0
  name    = var.name
  vpc_id  = module.network.vpc_id
  servers = ["web-service", "mage", "mlflow", "grafana", "provision"]
}

module "server" {
  source                = "./modules/server"
  for_each              = { for server, what in local.servers : server => what if local.ecs }
  name                  = var.name
  server                = each.key
  image                 = var.images[each.key]
  cpu                   = each.value.cpu
  memory                = each.value.memory
  ephemeral_storage_gib = each.value.ephemeral_storage_gib
  user                  = each.value.user
  writable              = each.value.writable
  environment           = merge(each.value.environment, local.renewed[each.key])
  secrets               = { for variable in each.value.secrets : variable => module.secrets.arns[lookup(local.other_names, variable, variable)] }
  bucket_arn            = module.storage.bucket_arn
  write_prefixes        = each.value.write_prefixes
  cluster_arn           = module.cluster[0].arn
  cluster_name          = module.cluster[0].name
  namespace_id          = module.cluster[0].namespace_id
  discoverable          = each.value.discoverable
  log_group             = module.cluster[0].log_groups[each.key]
  subnet_ids            = module.network.private_subnets
  security_group_id     = module.network.security_groups[each.key]
  port                  = each.value.port
  target_group_arns     = [module.balancer.target_group_arns[each.value.target]]
  single                = each.value.single
  wait                  = var.wait
  desired_count         = each.key == "web-service" ? var.web_service.least : 1
  autoscaling           = each.key == "web-service" && var.autoscaling ? { min = var.web_service.least, max = var.web_service.most, cpu_percent = 60 } : null
  permissions_boundary  = local.boundary

  health_check = each.value.health_path == null ? [] : [
    "CMD", "python", "-c",
    "import urllib.request as r; r.urlopen('http://127.0.0.1:${each.value.port}${each.value.health_path}', timeout=4)",
  ]
}

# Run once after the first apply and after a password was made anew: it makes each URL's role and
# database, and Grafana's reader. The one task that knows the administrator's password.
module "provision" {
  source               = "./modules/server"
  count                = local.ecs ? 1 : 0
  name                 = var.name
  server               = "provision"
  image                = var.images.mage
  command              = ["taxi", "provision"]
  run_once             = true
  cluster_arn          = module.cluster[0].arn
  cluster_name         = module.cluster[0].name
  log_group            = module.cluster[0].log_groups["provision"]
  subnet_ids           = module.network.private_subnets
  security_group_id    = module.network.security_groups["provision"]
  permissions_boundary = local.boundary

  environment = {
    PGHOST         = module.database[0].address
    PGPORT         = tostring(module.database[0].port)
    PGSSLMODE      = "require"
    PGUSER         = module.database[0].admin_username
    TAXI_S3_BUCKET = module.storage.bucket
    TAXI_S3_REGION = var.region
  }

  secrets = merge(
    { PGPASSWORD = "${module.database[0].admin_secret_arn}:password::" },
    { for variable in ["MLFLOW_BACKEND_STORE_URI", "MAGE_DATABASE_CONNECTION_URL", "TAXI_DATABASE_URL", "TAXI_GRAFANA_DB_PASSWORD"] : variable => module.secrets.arns[lookup(local.other_names, variable, variable)] },
  )
}

# It looks whether the bucket is there, and needs nothing that is in it.
resource "aws_iam_role_policy" "provision_bucket" {
  count  = local.ecs ? 1 : 0
  name   = "look-for-bucket"
  role   = split("/", module.provision[0].roles[1])[1]
  policy = data.aws_iam_policy_document.provision_bucket.json
}

data "aws_iam_policy_document" "provision_bucket" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = [module.storage.bucket_arn]
  }
}
