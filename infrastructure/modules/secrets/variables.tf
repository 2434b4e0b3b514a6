variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "database" {
  description = "Where the URLs lead: host name and port of Postgres."
  type        = object({ address = string, port = number })
}

variable "generation" {
  description = "Raise it by one to have every password made anew."
  type        = number
  default     = 1
}

variable "recovery_days" {
  description = "How long a removed secret can be brought back; 0 removes it at once."
  type        = number
  default     = 30
}
