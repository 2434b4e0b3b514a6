variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "mail" {
  description = "Who gets the alarms; AWS asks that address to confirm first. Empty: nobody, the alarms are shown only."
  type        = string
  default     = ""
}

variable "balancer" {
  description = "ARN suffixes of the balancer and of its target groups by target; null: there is none."
  type        = object({ arn_suffix = string, target_groups = map(string) })
  default     = null
}

variable "servers" {
  description = "The ECS cluster and the services in it that have to run, by a name of each; null: there is none."
  type        = object({ cluster = string, services = map(string) })
  default     = null
}

variable "database" {
  description = "The RDS instance, its disk in GiB and the most connections that it takes; null: there is none."
  type        = object({ identifier = string, storage_gib = number, max_connections = number })
  default     = null
}

variable "function" {
  description = "The Lambda function's name and the API's id; null: there is none."
  type        = object({ name = string, api_id = string })
  default     = null
}

variable "instance" {
  description = "The one instance with everything; null: there is none."
  type        = object({ id = string })
  default     = null
}

variable "slow_seconds" {
  description = "99th percentile of the service's answers above which an alarm is raised."
  type        = number
  default     = 0.5
}
