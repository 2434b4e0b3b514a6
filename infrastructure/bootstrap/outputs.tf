output "state_bucket" {
  description = "For `terraform init -backend-config=bucket=…`."
  value       = module.state.bucket
}

output "repositories" {
  description = "URL of each image's repository."
  value       = module.registry.repositories
}

output "plan_role_arn" {
  description = "Role of pull requests."
  value       = one(module.delivery[*].plan_role_arn)
}

output "push_role_arn" {
  description = "Role that pushes images."
  value       = one(module.delivery[*].push_role_arn)
}

output "deploy_role_arns" {
  description = "Role of each environment."
  value       = one(module.delivery[*].deploy_role_arns)
}

output "permissions_boundary" {
  description = "For the environments' variable of this name."
  value       = one(module.delivery[*].boundary_arn)
}
