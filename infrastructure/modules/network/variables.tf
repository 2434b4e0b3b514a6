variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC: a /16, cut into sixteen /20."
  type        = string
  default     = "10.20.0.0/16"
}

variable "zones" {
  description = "Over how many availability zones: two or three."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "The balancer and the database need two zones; more than three cost more than they give."
  }
}

variable "nat" {
  description = "One NAT gateway, for what has to reach the City's API. Without it the interface endpoints are needed, and Mage reads trips from files only."
  type        = bool
  default     = true

  validation {
    condition     = var.nat || var.interface_endpoints
    error_message = "Without NAT the tasks reach neither their images nor their secrets, unless interface_endpoints is true."
  }
}

variable "interface_endpoints" {
  description = "Private doors to ECR, the logs and Secrets Manager: four endpoints in each zone."
  type        = bool
  default     = false
}

variable "flow_log_days" {
  description = "How long the record of accepted and refused connections is kept."
  type        = number
  default     = 30
}

variable "permissions_boundary" {
  description = "Policy that no role made here may go beyond (bootstrap makes it), or null."
  type        = string
  default     = null
}

variable "parts" {
  description = "What works here beside the balancer, each with a security group of its own: some of web-service, mage, mlflow, grafana, provision, database and instance."
  type        = set(string)
  default     = ["web-service", "mage", "mlflow", "grafana", "provision", "database"]
}
