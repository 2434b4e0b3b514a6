variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "subnets" {
  description = "Private subnets in two zones or more."
  type        = list(string)
}

variable "security_group" {
  description = "The group that says who may connect."
  type        = string
}

variable "instance_class" {
  description = "Size of the machine."
  type        = string
  default     = "db.t4g.micro"
}

variable "storage_gb" {
  description = "Disk to begin with, and to which it may grow by itself."
  type        = object({ first = number, most = number })
  default     = { first = 20, most = 100 }
}

variable "multi_az" {
  description = "A second machine in another zone that takes over."
  type        = bool
  default     = false
}

variable "backup_days" {
  description = "How far back the database can be brought to any second."
  type        = number
  default     = 7
}

variable "protected" {
  description = "Refuses removal, and takes a last snapshot where removal is allowed later."
  type        = bool
  default     = true
}

variable "performance_insights" {
  description = "Keeps seven days of what the database waited for. The smallest classes cannot."
  type        = bool
  default     = false
}
