variable "name" {
  description = "What every name here begins with."
  type        = string
}

variable "images" {
  description = "The images, each in a repository of its own: NAME/IMAGE."
  type        = set(string)
  default     = ["mlflow", "mage", "web-service", "lambda", "grafana"]
}

variable "kept" {
  description = "How many images of each stay, so that there is a way back."
  type        = number
  default     = 50
}

variable "deletable" {
  description = "Whether a repository may be removed with the images in it."
  type        = bool
  default     = false
}
