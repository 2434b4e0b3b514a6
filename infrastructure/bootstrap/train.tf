output "train_role_arn" {
  description = "Role of the workflow that starts training runs."
  value       = one(module.delivery[*].train_role_arn)
}
