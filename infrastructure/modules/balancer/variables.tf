variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "vpc_id" {
  description = "The network that the servers are in."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, in at least two zones."
  type        = list(string)
}

variable "domain" {
  description = "Each target answers at <target>.<domain>."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone of the domain, in which the names are made; empty: make them yourself, as aliases of the output dns_name."
  type        = string
  default     = ""
}

variable "certificate_arn" {
  description = "ACM certificate for *.<domain>, in the same region."
  type        = string
}

variable "targets" {
  description = "What is behind the balancer, by the first part of its host name. sources: addresses that may call it (at most four ranges; none: all). sign_in: behind var.oidc, where that is set."
  type = map(object({
    port        = number
    health_path = string
    sources     = optional(list(string), [])
    sign_in     = optional(bool, false)
  }))
}

variable "target_type" {
  description = "ip for tasks of Fargate, instance for one machine with all of them."
  type        = string
  default     = "ip"

  validation {
    condition     = contains(["ip", "instance"], var.target_type)
    error_message = "target_type is ip or instance."
  }
}

variable "access_logs" {
  description = "Where access logs go; null: none are kept."
  type        = object({ bucket = string, prefix = string })
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the balancer; true in production."
  type        = bool
  default     = true
}

variable "oidc" {
  description = "An OpenID provider that people sign in at before they reach a target with sign_in, besides the application's own sign-in; null: the application's alone. The client secret is kept in Terraform's state."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
    client_secret          = string
  })
  default   = null
  sensitive = true
}

variable "security_group_id" {
  description = "The balancer's group: HTTPS in, the servers' ports out."
  type        = string
}
