variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "database" {
  description = "Where the URLs lead: host name and port of Postgres."
  type        = object({ address = string, port = number })
}

variable "generations" {
  description = "To have a password made anew, give its variable the next number: { JWT_SECRET = 2 }. All begin at 1."
  type        = map(number)
  default     = {}
}

variable "recovery_days" {
  description = "How long a removed secret can be brought back; 0 removes it at once."
  type        = number
  default     = 30
}
