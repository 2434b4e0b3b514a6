variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "purpose" {
  description = "What the bucket holds: the word after the name. The account's number follows, because the names of buckets are the whole world's."
  type        = string
  default     = "data"
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
  description = "How long drift reports are kept, null for ever; their figures stay in Postgres."
  type        = number
  default     = null
}
