variable "name" {
  description = "Name of the whole installation; the function's name as well (TAXI_LAMBDA_FUNCTION)."
  type        = string
}

variable "image" {
  description = "The Lambda image, by digest; another digest updates the function, and `taxi deploy lambda --keep-model` then brings it to its callers."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest (…@sha256:…): a tag that moves changes nothing that runs."
  }
}

variable "bucket" {
  description = "The bucket that holds the models below lambda/."
  type        = string
}

variable "bucket_arn" {
  description = "Its ARN."
  type        = string
}

variable "memory" {
  description = "Memory in MB; the processor grows with it."
  type        = number
  default     = 1024
}

variable "timeout_seconds" {
  description = "Longest time of one request."
  type        = number
  default     = 15
}

variable "reserved_concurrency" {
  description = "Most requests at a time, taken from the account's; -1: no limit of its own, which new accounts with a quota of 10 need."
  type        = number
  default     = 20
}

variable "requests_per_second" {
  description = "Rate above which the API answers 429."
  type        = number
  default     = 50
}

variable "burst" {
  description = "Requests above the rate for a moment."
  type        = number
  default     = 100
}

variable "log_retention_days" {
  description = "Days after which logs are deleted."
  type        = number
  default     = 365
}

variable "permissions_boundary" {
  description = "Policy that the roles made here may not go beyond, or null."
  type        = string
  default     = null
}
