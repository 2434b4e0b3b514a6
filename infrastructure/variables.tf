variable "name" {
  description = "PROJECT-ENVIRONMENT, such as taxi-duration-staging. Every other name is derived from it; PROJECT is the name that bootstrap was given."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,15}-[a-z0-9]+$", var.name)) && length(var.name) <= 27
    error_message = "The name is PROJECT-ENVIRONMENT in small letters, digits and hyphens, at most 27: names of balancers are short."
  }
}

variable "region" {
  description = "Where everything is. Chicago's nearest is us-east-2."
  type        = string
  default     = "us-east-2"
}

variable "images" {
  description = "The image of each server by digest (REPOSITORY@sha256:…): mlflow, mage, web-service, grafana and, with lambda, lambda."
  type        = map(string)

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("@sha256:[0-9a-f]{64}$", image))])
    error_message = "Name each image by its digest (…@sha256:…): a tag that moves changes nothing that runs."
  }

  validation {
    condition     = length(setsubtract(concat(["mlflow", "mage", "web-service", "grafana"], var.lambda ? ["lambda"] : []), keys(var.images))) == 0
    error_message = "An image is missing: mlflow, mage, web-service and grafana are needed, and lambda where lambda = true."
  }
}

variable "compute" {
  description = "ecs: each server on Fargate, the database in RDS. instance: everything on one EC2 instance with compose, its database and its S3 too."
  type        = string
  default     = "ecs"

  validation {
    condition     = contains(["ecs", "instance"], var.compute)
    error_message = "compute is ecs or instance."
  }
}

variable "lambda" {
  description = "Also have the service as a Lambda function behind an HTTP API."
  type        = bool
  default     = false
}

variable "autoscaling" {
  description = "Whether the number of the service's tasks follows the load."
  type        = bool
  default     = true
}

variable "web_service" {
  description = "Tasks of the service: to begin with, at least and at most."
  type        = object({ least = number, most = number, cpu = number, memory = number })
  default     = { least = 1, most = 4, cpu = 512, memory = 1024 }
}

variable "domain" {
  description = "The balancer answers at service.DOMAIN, mage.DOMAIN, mlflow.DOMAIN and grafana.DOMAIN."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone of the domain, in which the names are made; empty: make them elsewhere, as aliases of the output balancer."
  type        = string
  default     = ""
}

variable "certificate_arn" {
  description = "ACM certificate for *.DOMAIN, in the same region."
  type        = string
}

variable "office_addresses" {
  description = "Ranges of addresses from which Mage, MLflow and Grafana may be called, at most four; none: from anywhere, behind their sign-in."
  type        = list(string)
  default     = []
}

variable "owner_mail" {
  description = "Who owns Mage: the name to sign in with."
  type        = string
  default     = "owner@example.com"
}

variable "alarm_mail" {
  description = "Who gets the alarms and the budget's warnings; empty: nobody."
  type        = string
  default     = ""
}

variable "budget_usd" {
  description = "US dollars a month, at 80% of which a mail is sent; 0: no budget."
  type        = number
  default     = 0
}

variable "github_repository" {
  description = "OWNER/NAME that bootstrap was given: every role then keeps to bootstrap's boundary. null: roles without boundary."
  type        = string
  default     = null
}

variable "network" {
  description = "Zones (two or three), one NAT gateway, private doors to ECR, logs and Secrets Manager. Without NAT nothing reaches the City's API."
  type        = object({ zones = number, nat = bool, interface_endpoints = bool })
  default     = { zones = 2, nat = true, interface_endpoints = false }
}

variable "database" {
  description = "RDS: class, the most connections that it takes, first and greatest disk in GB, a second machine, days of backups, Performance Insights."
  type = object({
    instance_class       = string
    max_connections      = number
    storage_gb           = object({ first = number, most = number })
    multi_az             = bool
    backup_days          = number
    performance_insights = bool
  })
  default = {
    instance_class       = "db.t4g.micro"
    max_connections      = 110
    storage_gb           = { first = 20, most = 100 }
    multi_az             = false
    backup_days          = 7
    performance_insights = false
  }
}

variable "protected" {
  description = "Nothing with data in it can be removed; false in staging, where `terraform destroy` removes all of it."
  type        = bool
  default     = true
}

variable "generations" {
  description = "To have a password made anew, give its variable the next number: { JWT_SECRET = 2 }. First apply -target=module.secrets and run the provision task, then apply."
  type        = map(number)
  default     = {}
}

variable "wait" {
  description = "An apply ends when the new tasks are healthy, and fails when they do not get so."
  type        = bool
  default     = true
}
