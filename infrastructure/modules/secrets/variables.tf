variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "passwords" {
  description = "Variable of the process that takes a password => what the password is for."
  type        = map(string)
}

variable "urls" {
  description = "Variable of the process that takes a database's URL => role and database, which have the same name."
  type        = map(string)
  default     = {}
}

variable "server" {
  description = "Where the URLs lead: HOST:PORT of Postgres; null where there are none."
  type        = string
  default     = null
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
