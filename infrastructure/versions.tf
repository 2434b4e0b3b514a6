terraform {
  required_version = ">= 1.11" # secrets are written by write-only arguments

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket, key and lock: environments/<environment>.s3.tfbackend and `-backend-config=bucket=…`.
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = local.project, Environment = var.name }
  }
}
