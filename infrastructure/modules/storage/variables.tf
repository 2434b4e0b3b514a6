variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "deletable" {
  description = "Whether `terraform destroy` may remove the bucket with all that is in it."
  type        = bool
  default     = false
}

variable "old_version_days" {
  description = "How long a replaced or removed object can be brought back."
  type        = number
  default     = 30
}

variable "report_days" {
  description = "How long drift reports are kept; their figures stay in Postgres."
  type        = number
  default     = 400
}
