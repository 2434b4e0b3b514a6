# The small alternative: one machine with compose, behind the same balancer. Its database and its S3
# are containers on its own volume.
module "instance" {
  source               = "./modules/instance"
  count                = local.instance ? 1 : 0
  name                 = var.name
  subnet_id            = module.network.private_subnets[0]
  security_group_id    = module.network.security_groups["instance"]
  images               = { for server in ["mlflow", "mage", "web-service", "grafana"] : server => var.images[server] }
  folder               = "${path.module}/.."
  bucket               = module.storage.bucket
  bucket_arn           = module.storage.bucket_arn
  domain               = var.domain
  environment          = { TAXI_CITY_API = "city", TAXI_MAGE_OWNER_EMAIL = var.owner_mail }
  secrets              = module.secrets.arns
  generations          = var.generations
  associate            = var.wait
  protected            = var.protected
  target_group_arns    = module.balancer.target_group_arns
  permissions_boundary = local.boundary
}
