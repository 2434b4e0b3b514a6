# Two roles of its own for each server. Execution: what ECS does before the start, that is to fetch the
# image, write logs and read exactly this server's secrets. Task: what the server does itself.

locals {
  # <ARN>:<key>:: names one key of a JSON secret; rights are given for the secret.
  secret_arns = distinct([for arn in values(var.secrets) : join(":", slice(split(":", arn), 0, 7))])
  # <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:…
  image          = regex("^([^.]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^@]+)@", var.image)
  repository_arn = "arn:${data.aws_partition.here.partition}:ecr:${local.image[1]}:${local.image[0]}:repository/${local.image[2]}"
  prefixes       = setunion(var.read_prefixes, var.write_prefixes)
  has_bucket     = length(var.read_prefixes) + length(var.write_prefixes) > 0
}

data "aws_partition" "here" {}
data "aws_caller_identity" "here" {}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    # Nobody else's cluster may have ECS take the role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_iam_role" "execution" {
  name                 = "${local.name}-start"
  description          = "ECS starts ${var.server} with it"
  assume_role_policy   = data.aws_iam_policy_document.tasks.json
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role" "task" {
  name                 = local.name
  description          = "What ${var.server} may do"
  assume_role_policy   = data.aws_iam_policy_document.tasks.json
  permissions_boundary = var.permissions_boundary
}

data "aws_iam_policy_document" "execution" {
  # checkov:skip=CKV_AWS_356: The token for ECR is given for the registry as a whole; AWS knows no narrower resource.
  statement {
    sid       = "SignInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "FetchImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = [local.repository_arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.here.partition}:logs:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:log-group:${var.log_group}:*"]
  }

  dynamic "statement" {
    for_each = length(var.secrets) == 0 ? [] : [true]
    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = local.secret_arns
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

data "aws_iam_policy_document" "bucket" {
  count = local.has_bucket ? 1 : 0

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = flatten([for prefix in local.prefixes : [prefix, "${prefix}*", trimsuffix(prefix, "/")]])
    }
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = [for prefix in local.prefixes : "${var.bucket_arn}/${prefix}*"]
  }

  dynamic "statement" {
    for_each = length(var.write_prefixes) == 0 ? [] : [true]
    content {
      sid       = "Write"
      actions   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      resources = [for prefix in var.write_prefixes : "${var.bucket_arn}/${prefix}*"]
    }
  }
}

resource "aws_iam_role_policy" "bucket" {
  count = local.has_bucket ? 1 : 0

  name   = "bucket"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.bucket[0].json
}
