variable "name" {
  description = "Name of the whole installation, such as taxi-duration-staging."
  type        = string
}

variable "usd" {
  description = "US dollars a month, of the whole account."
  type        = number
}

variable "mail" {
  description = "Who is told at 80% spent and at 100% forecast."
  type        = string
}
