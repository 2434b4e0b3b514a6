# What the machine fetches: the repository's own files, and two that are made here.

locals {
  url = { for target in keys(var.targets) : target => "https://${target}.${var.domain}" }
  links = {
    TAXI_SERVICE_URL = local.url["service"]
    TAXI_MLFLOW_LINK = local.url["mlflow"]
    TAXI_MAGE_LINK   = local.url["mage"]
  }

  # Each service's image by digest, and how it is called from outside.
  services = {
    provision   = { image = var.images["mage"], environment = local.links }
    mage        = { image = var.images["mage"], environment = local.links }
    first-run   = { image = var.images["mage"], environment = local.links }
    city-api    = { image = var.images["mlflow"] }
    web-service = { image = var.images["web-service"], environment = local.links }
    mlflow = {
      image = var.images["mlflow"]
      environment = {
        MLFLOW_SERVER_ALLOWED_HOSTS        = "mlflow:*,localhost:*,127.0.0.1:*,mlflow.${var.domain}"
        MLFLOW_SERVER_CORS_ALLOWED_ORIGINS = local.url["mlflow"]
      }
    }
    grafana = { image = var.images["grafana"], environment = { GF_SERVER_ROOT_URL = local.url["grafana"] } }
  }

  settings = merge(
    {
      COMPOSE_PROFILES = "core,monitoring"
      # On the machine's own address, where its security group lets in the balancer alone.
      TAXI_PUBLISH = "0.0.0.0"
    },
    var.environment,
  )

  made = {
    "docker-compose.aws.yml" = yamlencode({ services = local.services })
    "settings.env"           = join("", [for name, value in local.settings : "${name}=${value}\n"])
  }

  # Another hash of anything that the machine gets has it start again.
  revision = sha256(jsonencode([
    local.made, { for file in var.files : file => filesha256("${var.folder}/${file}") },
    var.generations, keys(var.secrets), filesha256("${path.module}/start.sh"),
  ]))
}

resource "aws_s3_object" "file" {
  # checkov:skip=CKV_AWS_186: The bucket encrypts by itself.
  for_each = var.files

  bucket      = var.bucket
  key         = "instance/${each.key}"
  source      = "${var.folder}/${each.key}"
  source_hash = filesha256("${var.folder}/${each.key}")
}

resource "aws_s3_object" "made" {
  # checkov:skip=CKV_AWS_186: The bucket encrypts by itself.
  for_each = local.made

  bucket  = var.bucket
  key     = "instance/${each.key}"
  content = each.value
}
