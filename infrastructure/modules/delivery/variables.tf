variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose workflows may take the roles."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "The repository is written OWNER/NAME, without a wildcard."
  }
}

variable "environments" {
  description = "GitHub environments that deploy, each with a role of its own."
  type        = set(string)
  default     = ["staging", "production"]
}

variable "state_bucket_arn" {
  description = "Bucket of Terraform's state."
  type        = string
}

variable "repository_arns" {
  description = "Image repositories that a push from main may write to."
  type        = list(string)
}

variable "existing_provider_arn" {
  description = "GitHub's OpenID provider where the account has one already: there can be one only."
  type        = string
  default     = null
}
