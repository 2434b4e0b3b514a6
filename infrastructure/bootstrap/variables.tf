variable "name" {
  description = "What every name in the account begins with. An environment's name is NAME-ENVIRONMENT."
  type        = string
  default     = "taxi-duration"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,15}$", var.name))
    error_message = "Small letters, digits and hyphens, three to sixteen: balancers' names are short."
  }
}

variable "region" {
  description = "Where everything is. Chicago's nearest is us-east-2."
  type        = string
  default     = "us-east-2"
}

variable "environments" {
  description = "The environments that deploy."
  type        = set(string)
  default     = ["staging", "production"]
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose workflows deploy; null: nobody's."
  type        = string
  default     = null
}

variable "existing_provider_arn" {
  description = "GitHub's OpenID provider where the account has one already: there can be one only."
  type        = string
  default     = null
}

variable "deletable" {
  description = "Whether `terraform destroy` may remove the state and the images. Never in an account that is used."
  type        = bool
  default     = false
}
