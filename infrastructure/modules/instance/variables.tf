variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "vpc_cidr" {
  description = "Its addresses."
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

variable "kms_key_arn" {
  description = "Key that the volumes, the secrets and the bucket are encrypted with; empty: AWS's own."
  type        = string
  default     = ""
}

variable "images" {
  description = "The project's images by name (mage, mlflow, web-service, grafana), each by digest."
  type        = map(string)

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("@sha256:[0-9a-f]{64}$", image))])
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

variable "folder" {
  description = "The repository's folder, from which docker-compose.yml and what it mounts are taken."
  type        = string
}

variable "files" {
  description = "Those files, relative to the folder."
  type        = set(string)
}

variable "environment" {
  description = "Lines of .env that are no secrets."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Lines of .env that are: name → ARN in Secrets Manager, of a plain text."
  type        = map(string)
}

variable "balancer_security_group_id" {
  description = "All that may connect to it."
  type        = string
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
