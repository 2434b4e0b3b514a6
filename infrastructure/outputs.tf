output "service_url" {
  description = "The service: POST /predict."
  value       = module.balancer.urls.service
}

output "mage_url" {
  description = "Mage."
  value       = module.balancer.urls.mage
}

output "mlflow_url" {
  description = "MLflow."
  value       = module.balancer.urls.mlflow
}

output "grafana_url" {
  description = "Grafana."
  value       = module.balancer.urls.grafana
}

output "balancer" {
  description = "What these host names have to be aliases of, where zone_id is empty."
  value       = module.balancer.dns_name
}

output "lambda_url" {
  description = "The service as a Lambda; null: there is none."
  value       = one(module.lambda[*].url)
}

output "lambda_function" {
  description = "For TAXI_LAMBDA_FUNCTION; null: there is none."
  value       = one(module.lambda[*].function)
}

output "repositories" {
  description = "URL of each image's repository, which bootstrap made."
  value = {
    for image in ["mlflow", "mage", "web-service", "lambda", "grafana"] :
    image => "${local.account}.dkr.ecr.${var.region}.amazonaws.com/${local.project}/${image}"
  }
}

output "cluster" {
  description = "The ECS cluster; null: compute is instance."
  value       = one(module.cluster[*].name)
}

output "provision_task" {
  description = "What `aws ecs run-task` needs to run it: task definition, subnets, security groups; null: compute is instance."
  value = local.ecs ? {
    task_definition = module.provision[0].task_definition_family
    subnets         = module.network.private_subnets
    security_groups = [module.network.security_groups["provision"]]
  } : null
}

output "instance" {
  description = "The instance, for `aws ssm start-session --target`; null: compute is ecs."
  value       = one(module.instance[*].id)
}

output "bucket" {
  description = "Trips, models, reports."
  value       = module.storage.bucket
}

output "deploy_role_arn" {
  description = "Role of this environment's workflows, which bootstrap made; null: there is none."
  value       = var.github_repository == null ? null : "${local.iam}:role/${var.name}-deploy"
}

output "secrets" {
  description = "ARN of each secret: `aws secretsmanager get-secret-value` shows it to whoever may."
  value       = module.secrets.arns
}
