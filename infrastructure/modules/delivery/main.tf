# Roles that GitHub's workflows take with a token of GitHub's own (OpenID Connect): there is no key to
# keep or to lose. Each says which workflow may take it, by repository and branch or environment.

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  issuer   = "token.actions.githubusercontent.com"
  account  = data.aws_caller_identity.here.account_id
  region   = data.aws_region.here.name
  prefix   = "arn:${data.aws_partition.here.partition}"
  provider = var.existing_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.existing_provider_arn

  # Role => the subject of GitHub's token that may take it.
  subjects = merge(
    {
      plan     = "repo:${var.github_repository}:pull_request"
      push     = "repo:${var.github_repository}:ref:refs/heads/main"
      training = "repo:${var.github_repository}:environment:training"
    },
    { for environment in var.environments : environment => "repo:${var.github_repository}:environment:${environment}" },
  )
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.existing_provider_arn == null ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = [each.value]
    }
  }
}
