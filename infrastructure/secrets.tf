# What no person chooses: made by Secrets Manager, shown to nobody, written once.
locals {
  # Servers on Fargate take them in the environment.
  server_urls = {
    MLFLOW_BACKEND_STORE_URI     = "mlflow"
    MAGE_DATABASE_CONNECTION_URL = "mage"
    TAXI_DATABASE_URL            = "taxi"
  }
  server_passwords = {
    TAXI_GRAFANA_DB_PASSWORD       = "Grafana's reader in Postgres"
    MLFLOW_ADMIN_PASSWORD          = "MLflow's administrator"
    MLFLOW_FLASK_SERVER_SECRET_KEY = "key of MLflow's sessions"
    DEFAULT_OWNER_PASSWORD         = "Mage's owner"
    JWT_SECRET                     = "key of Mage's sessions"
    TAXI_MAGE_TRIGGER_TOKEN        = "token that starts the pipeline"
    GF_SECURITY_ADMIN_PASSWORD     = "Grafana's administrator"
    GF_SECURITY_SECRET_KEY         = "key of Grafana's data sources"
  }

  # The instance takes them as lines of .env: .env.example says what each is.
  instance_passwords = {
    TAXI_POSTGRES_PASSWORD    = "Postgres' administrator"
    TAXI_MLFLOW_DB_PASSWORD   = "MLflow's role in Postgres"
    TAXI_MAGE_DB_PASSWORD     = "Mage's role in Postgres"
    TAXI_DB_PASSWORD          = "the figures' role in Postgres"
    TAXI_GRAFANA_DB_PASSWORD  = "Grafana's reader in Postgres"
    TAXI_S3_SECRET_ACCESS_KEY = "secret of the key of the instance's own S3"
    TAXI_S3_INNER_KEY         = "key that the parts of this S3 know each other by"
    TAXI_MLFLOW_PASSWORD      = "MLflow's administrator"
    TAXI_MLFLOW_SECRET_KEY    = "key of MLflow's sessions"
    TAXI_MAGE_OWNER_PASSWORD  = "Mage's owner"
    TAXI_MAGE_JWT_SECRET      = "key of Mage's sessions"
    TAXI_MAGE_TRIGGER_TOKEN   = "token that starts the pipeline"
    TAXI_GRAFANA_PASSWORD     = "Grafana's administrator"
    TAXI_GRAFANA_SECRET_KEY   = "key of Grafana's data sources"
  }
}

module "secrets" {
  source        = "./modules/secrets"
  name          = var.name
  passwords     = local.ecs ? local.server_passwords : local.instance_passwords
  urls          = local.ecs ? local.server_urls : {}
  server        = local.ecs ? "${module.database[0].address}:${module.database[0].port}" : null
  generations   = var.generations
  recovery_days = var.protected ? 30 : 0
}
