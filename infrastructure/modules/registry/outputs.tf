output "repositories" {
  description = "URL of each image's repository, without tag or digest."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}

output "arns" {
  description = "The same repositories, for policies."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.arn }
}
