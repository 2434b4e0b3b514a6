variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "server" {
  description = "What this one is: web-service, mage, mlflow, grafana or provision."
  type        = string
}

variable "image" {
  description = "The image in ECR, by digest: …@sha256:…; another digest replaces the running tasks."
  type        = string

  validation {
    condition     = can(regex("^[^.]+\\.dkr\\.ecr\\.[^.]+\\.[^/]+/[^@]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest (<account>.dkr.ecr.<region>.amazonaws.com/…@sha256:…): a tag that moves changes nothing that runs."
  }
}

variable "command" {
  description = "Instead of the image's own command."
  type        = list(string)
  default     = null
}

variable "cpu" {
  description = "Units of a processor: 1024 is one."
  type        = number
  default     = 512
}

variable "memory" {
  description = "Memory in MiB."
  type        = number
  default     = 1024
}

variable "ephemeral_storage_gib" {
  description = "Disk of a task, which goes with it."
  type        = number
  default     = 21
}

variable "user" {
  description = "User and group that the process runs as."
  type        = string
  default     = "10001:10001"
}

variable "writable" {
  description = "The only folders that can be written; empty in each new task."
  type        = set(string)
  default     = ["/var/lib/taxi", "/home/taxi", "/tmp"]
}

variable "environment" {
  description = "Environment without secrets."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Secrets in the environment: name of the variable → ARN in Secrets Manager, or <ARN>:<key>:: for one key of a JSON secret."
  type        = map(string)
  default     = {}
}

variable "bucket_arn" {
  description = "The bucket in which the server has prefixes, or null."
  type        = string
  default     = null
}

variable "read_prefixes" {
  description = "Prefixes of the bucket that it may read, such as lake/."
  type        = set(string)
  default     = []
}

variable "write_prefixes" {
  description = "Prefixes of the bucket that it may read, write and delete in."
  type        = set(string)
  default     = []
}

variable "cluster_arn" {
  description = "The cluster that it runs in."
  type        = string
}

variable "cluster_name" {
  description = "Its name."
  type        = string
}

variable "namespace_id" {
  description = "Where it is registered under the name var.server, so that others find it, or null; used with discoverable."
  type        = string
  default     = null
}

variable "discoverable" {
  description = "Others find it by name."
  type        = bool
  default     = false
}

variable "log_group" {
  description = "The group that its logs go to."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "port" {
  description = "Port that it listens on; 0: none."
  type        = number
  default     = 0
}

variable "target_group_arns" {
  description = "Target groups of the balancer that send requests to it."
  type        = list(string)
  default     = []
}

variable "health_check" {
  description = "Command that succeeds where the server is healthy, as in [\"CMD\", \"python\", …]; ECS does not read the image's HEALTHCHECK. Empty: none."
  type        = list(string)
  default     = []
}

variable "start_seconds" {
  description = "Time that a start may take before it counts as failed, at most 300."
  type        = number
  default     = 120
}

variable "stop_seconds" {
  description = "Time between the request to end and the end, at most 120."
  type        = number
  default     = 60
}

variable "desired_count" {
  description = "Tasks to begin with. Later it is autoscaling's, or that of `aws ecs update-service --desired-count`: an apply does not set it back."
  type        = number
  default     = 1
}

variable "single" {
  description = "Never two at once: the old task ends before the new one starts. For Mage, which has one scheduler."
  type        = bool
  default     = false
}

variable "wait" {
  description = "Wait for the new tasks to be healthy before an apply ends."
  type        = bool
  default     = true
}

variable "run_once" {
  description = "Make the task definition only; somebody runs it once with aws ecs run-task."
  type        = bool
  default     = false
}

variable "autoscaling" {
  description = "Tasks to keep to, and the CPU in percent to aim for. null: nothing changes the number of tasks by itself."
  type        = object({ min = number, max = number, cpu_percent = number })
  default     = null
}

variable "security_group_id" {
  description = "The server's group: who may connect, and where it may connect to."
  type        = string
}

variable "permissions_boundary" {
  description = "Policy that the roles made here may not go beyond, or null."
  type        = string
  default     = null
}
