variable "name" {
  description = "Name of the whole installation; the cluster's name as well."
  type        = string
}

variable "vpc_id" {
  description = "The network in which the servers find each other by name."
  type        = string
}

variable "servers" {
  description = "Each gets a group of logs: web-service, mage, mlflow, grafana, provision."
  type        = set(string)
}

variable "log_retention_days" {
  description = "Days after which logs are deleted."
  type        = number
  default     = 365
}
