# A pull request plans with `-refresh=false -lock=false`: it compares the code with the state, and so
# needs to read neither the resources nor, above all, the secrets. Drift shows in the deploy's plan.
resource "aws_iam_role" "plan" {
  name               = "${var.name}-plan"
  description        = "Pull requests of ${var.github_repository}: plan, change nothing"
  assume_role_policy = data.aws_iam_policy_document.trust["plan"].json
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = aws_iam_role.plan.id
  policy = data.aws_iam_policy_document.plan.json
}

data "aws_iam_policy_document" "plan" {
  #checkov:skip=CKV_AWS_356:zones, subnets and random passwords belong to no resource that could be named
  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"]
    resources = [var.state_bucket_arn]
  }

  statement {
    sid       = "ReadState"
    actions   = ["s3:GetObject"]
    resources = [for environment in var.environments : "${var.state_bucket_arn}/${environment}.tfstate"]
  }

  statement {
    sid       = "LookAround"
    actions   = ["ec2:DescribeAvailabilityZones", "ec2:DescribeSubnets", "secretsmanager:GetRandomPassword"]
    resources = ["*"]
  }

  # Which Amazon Linux is the latest, where there is an instance.
  statement {
    sid       = "LatestLinux"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.prefix}:ssm:${local.region}::parameter/aws/service/*"]
  }
}
