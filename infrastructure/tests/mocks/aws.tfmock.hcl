# What AWS would answer where the configuration looks closely.
mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    name = "us-east-2"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names = ["us-east-2c", "us-east-2a", "us-east-2b"]
  }
}

mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }
}
