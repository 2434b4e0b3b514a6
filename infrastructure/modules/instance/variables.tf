variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "subnet_id" {
  description = "A private subnet with a way out: the images of Postgres, SeaweedFS, HAProxy and Prometheus come from public registries. The data's volume lies in its zone."
  type        = string
}

variable "instance_type" {
  description = "Kind of machine; the stack needs 8 GB of memory."
  type        = string
  default     = "t3.large"
}

variable "data_gib" {
  description = "Size of the volume that holds trips, models and databases."
  type        = number
  default     = 50
}

variable "images" {
  description = "The project's images by name (mage, mlflow, web-service, grafana), each by digest."
  type        = map(string)

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("^[^.]+\\.dkr\\.ecr\\.[^.]+\\.[^/]+/[^@]+@sha256:[0-9a-f]{64}$", image))])
    error_message = "Name each image by its digest (…@sha256:…): a tag that moves changes nothing that runs."
  }
}

variable "bucket" {
  description = "The bucket through which the instance gets its files, below instance/."
  type        = string
}

variable "bucket_arn" {
  description = "Its ARN."
  type        = string
}

variable "domain" {
  description = "Each target answers at <target>.<domain>."
  type        = string
}

variable "folder" {
  description = "The repository's folder, from which docker-compose.yml and what it mounts are taken."
  type        = string
}

variable "files" {
  description = "Those files, relative to the folder."
  type        = set(string)
  default = [
    "docker-compose.yml",
    "monitoring/prometheus/containers.yml",
    "web-service/gateway/haproxy.cfg",
  ]
}

variable "environment" {
  description = "Lines of .env that are no secrets, besides those that the module knows itself, such as TAXI_CITY_API."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Lines of .env that are: name → ARN in Secrets Manager, of a plain text."
  type        = map(string)
}

variable "generations" {
  description = "Numbers of the secrets' values, as the module secrets has them: another one has the stack start with the new value."
  type        = map(number)
  default     = {}
}

variable "compose" {
  description = "Docker's compose plugin, which Amazon Linux does not package: its version and the SHA-256 of docker-compose-linux-x86_64."
  type        = object({ version = string, sha256 = string })
  default = {
    version = "2.36.2"
    sha256  = "9040bd35b2cc0783ce6c5de491de7e52e24d4137dbfc5de8a524f718fc23556c"
  }
}

variable "associate" {
  description = "Have Systems Manager start the stack, at first and after each change, and wait until it did. False only where there is no Systems Manager, as in moto."
  type        = bool
  default     = true
}

variable "protected" {
  description = "Refuse to end the instance, and keep a snapshot of the data when its volume is removed; true in production."
  type        = bool
  default     = true
}

variable "targets" {
  description = "Ports that the balancer sends requests to, by target."
  type        = map(number)
  default     = { service = 9696, mage = 6789, mlflow = 5000, grafana = 3000 }
}

variable "target_group_arns" {
  description = "Target groups of the balancer, by target."
  type        = map(string)
}

variable "security_group_id" {
  description = "The instance's group: the balancer in, HTTPS out."
  type        = string
}

variable "permissions_boundary" {
  description = "Policy that the roles made here may not go beyond, or null."
  type        = string
  default     = null
}
