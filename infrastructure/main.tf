data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  project     = regex("^(.+)-[^-]+$", var.name)[0]
  environment = regex("-([^-]+)$", var.name)[0]
  account     = data.aws_caller_identity.here.account_id
  iam         = "arn:${data.aws_partition.here.partition}:iam::${local.account}"

  ecs      = var.compute == "ecs"
  instance = var.compute == "instance"
  # bootstrap makes it where there is a repository whose workflows deploy.
  boundary = var.github_repository == null ? null : "${local.iam}:policy/${local.project}-boundary"
}

module "network" {
  source               = "./modules/network"
  name                 = var.name
  zones                = var.network.zones
  nat                  = var.network.nat
  interface_endpoints  = var.network.interface_endpoints
  parts                = local.ecs ? ["web-service", "mage", "mlflow", "grafana", "provision", "database"] : ["instance"]
  permissions_boundary = local.boundary
}

module "storage" {
  source      = "./modules/storage"
  name        = var.name
  report_days = 400
  deletable   = !var.protected
}

module "database" {
  source               = "./modules/database"
  count                = local.ecs ? 1 : 0
  name                 = var.name
  subnets              = module.network.private_subnets
  security_group       = module.network.security_groups["database"]
  instance_class       = var.database.instance_class
  storage_gb           = var.database.storage_gb
  multi_az             = var.database.multi_az
  backup_days          = var.database.backup_days
  performance_insights = var.database.performance_insights
  protected            = var.protected
}

module "balancer" {
  source              = "./modules/balancer"
  name                = var.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnets
  security_group_id   = module.network.security_groups["balancer"]
  domain              = var.domain
  zone_id             = var.zone_id
  certificate_arn     = var.certificate_arn
  target_type         = local.ecs ? "ip" : "instance"
  deletion_protection = var.protected

  targets = {
    service = { port = 9696, health_path = "/health" }
    mage    = { port = 6789, health_path = "/api/status", sources = var.office_addresses }
    mlflow  = { port = 5000, health_path = "/health", sources = var.office_addresses }
    grafana = { port = 3000, health_path = "/api/health", sources = var.office_addresses }
  }
}

module "lambda" {
  source               = "./modules/lambda"
  count                = var.lambda ? 1 : 0
  name                 = var.name
  image                = var.images.lambda
  bucket               = module.storage.bucket
  bucket_arn           = module.storage.bucket_arn
  permissions_boundary = local.boundary
}

module "alarms" {
  source   = "./modules/alarms"
  name     = var.name
  mail     = var.alarm_mail
  balancer = { arn_suffix = module.balancer.arn_suffix, target_groups = module.balancer.target_group_arn_suffixes }
  servers  = local.ecs ? { cluster = module.cluster[0].name, services = { for server, made in module.server : server => made.service_name } } : null
  database = local.ecs ? {
    identifier      = module.database[0].identifier
    storage_gib     = var.database.storage_gb.first
    max_connections = var.database.max_connections
  } : null
  function = var.lambda ? { name = module.lambda[0].function, api_id = module.lambda[0].api_id } : null
  instance = local.instance ? { id = module.instance[0].id } : null
}

module "budget" {
  source = "./modules/budget"
  count  = var.budget_usd > 0 && var.alarm_mail != "" ? 1 : 0
  name   = var.name
  usd    = var.budget_usd
  mail   = var.alarm_mail
}
