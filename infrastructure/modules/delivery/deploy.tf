# A role for each environment. Names begin with NAME-ENVIRONMENT, so what can be limited by name is;
# what AWS cannot name (the network) is limited by the tag Environment that Terraform gives everything.
resource "aws_iam_role" "deploy" {
  for_each             = var.environments
  name                 = "${var.name}-${each.key}-deploy"
  description          = "Environment ${each.key} of ${var.github_repository}: applies Terraform, delivers models"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 7200
}

resource "aws_iam_policy" "deploy" {
  for_each    = merge([for environment in var.environments : { for part in ["named", "network", "roles"] : "${environment}-${part}" => { environment = environment, part = part } }]...)
  name        = "${var.name}-${each.value.environment}-deploy-${each.value.part}"
  description = "Deploying ${each.value.environment}: ${each.value.part}"
  policy = {
    named   = data.aws_iam_policy_document.named[each.value.environment].json
    network = data.aws_iam_policy_document.network[each.value.environment].json
    roles   = data.aws_iam_policy_document.roles[each.value.environment].json
  }[each.value.part]
}

resource "aws_iam_role_policy_attachment" "deploy" {
  for_each   = aws_iam_policy.deploy
  role       = aws_iam_role.deploy[[for environment in var.environments : environment if startswith(each.key, "${environment}-")][0]].name
  policy_arn = each.value.arn
}

locals {
  names = { for environment in var.environments : environment => "${var.name}-${environment}" }
}

data "aws_iam_policy_document" "named" {
  #checkov:skip=CKV_AWS_109:names begin with the environment's; secrets have no policies of their own
  #checkov:skip=CKV_AWS_111:names begin with the environment's; what has no name is limited to the region
  #checkov:skip=CKV_AWS_356:what has no name, or a generated one, is limited to the region and by tags
  #checkov:skip=CKV_AWS_108:a deploy checks that each secret is still what it wrote
  for_each = local.names

  statement {
    sid     = "State"
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = [
      "${var.state_bucket_arn}/${each.key}.tfstate",
      "${var.state_bucket_arn}/${each.key}.tfstate.tflock",
    ]
  }

  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"]
    resources = [var.state_bucket_arn]
  }

  statement {
    sid     = "ByName"
    actions = ["s3:*", "rds:*", "secretsmanager:*", "ecs:*", "lambda:*", "logs:*", "elasticloadbalancing:*", "cloudwatch:*", "sns:*", "budgets:*"]
    resources = [
      "${local.prefix}:s3:::${each.value}-*",
      "${local.prefix}:rds:${local.region}:${local.account}:*:${each.value}*",
      "${local.prefix}:secretsmanager:${local.region}:${local.account}:secret:${each.value}/*",
      "${local.prefix}:ecs:${local.region}:${local.account}:*/${each.value}*",
      "${local.prefix}:lambda:${local.region}:${local.account}:function:${each.value}*",
      "${local.prefix}:logs:${local.region}:${local.account}:log-group:/*${each.value}*",
      "${local.prefix}:elasticloadbalancing:${local.region}:${local.account}:loadbalancer/app/${each.value}*",
      "${local.prefix}:elasticloadbalancing:${local.region}:${local.account}:listener*/app/${each.value}*",
      "${local.prefix}:elasticloadbalancing:${local.region}:${local.account}:targetgroup/*",
      "${local.prefix}:cloudwatch:${local.region}:${local.account}:alarm:${each.value}*",
      "${local.prefix}:cloudwatch::${local.account}:dashboard/${each.value}*",
      "${local.prefix}:sns:${local.region}:${local.account}:${each.value}*",
      "${local.prefix}:budgets::${local.account}:budget/${each.value}*",
    ]
  }

  # RDS keeps the administrator's password in a secret that it names itself, by the caller's right.
  statement {
    sid       = "RdsPassword"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
    resources = ["${local.prefix}:secretsmanager:${local.region}:${local.account}:secret:rds!*"]
  }

  statement {
    sid = "WithoutName"
    actions = [
      "apigateway:*", "application-autoscaling:*", "servicediscovery:*", "ecs:RegisterTaskDefinition",
      "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "ecr:DescribeRepositories", "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer", "elasticloadbalancing:Describe*", "rds:Describe*", "logs:DescribeLogGroups",
      "logs:*LogDelivery*", "cloudwatch:DescribeAlarms", "kms:DescribeKey", "acm:DescribeCertificate",
      "acm:ListCertificates", "secretsmanager:GetRandomPassword", "ssm:GetParameter*", "lambda:*EventSourceMapping*",
      "route53:GetChange", "route53:ListHostedZones*", "route53:CreateHostedZone", "route53:DeleteHostedZone",
      "route53:GetHostedZone", "route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:ListTagsForResource",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region, "us-east-1"]
    }
  }
}

data "aws_iam_policy_document" "network" {
  #checkov:skip=CKV_AWS_109:of EC2 only what makes a network and one instance; others' are refused by their tag
  #checkov:skip=CKV_AWS_111:of EC2 only what makes a network and one instance; others' are refused by their tag
  #checkov:skip=CKV_AWS_356:EC2's things have generated names; others' are refused by their tag
  for_each = local.names

  statement {
    sid = "Network"
    actions = [
      "ec2:Describe*", "ec2:Get*", "ec2:CreateTags", "ec2:DeleteTags",
      "ec2:*Vpc", "ec2:*VpcAttribute", "ec2:*VpcEndpoint*", "ec2:*Subnet*", "ec2:*InternetGateway", "ec2:*NatGateway*",
      "ec2:*Address*", "ec2:*Route", "ec2:*RouteTable", "ec2:*SecurityGroup*", "ec2:*FlowLogs", "ec2:*NetworkInterface*",
      "ec2:RunInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstance*",
      "ec2:*Volume", "ec2:CreateSnapshot", "ec2:*LaunchTemplate*", "ec2:*IamInstanceProfile*",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }

  # The one instance is started through a document of its own, and on itself alone (its tag, below).
  statement {
    sid = "StartInstance"
    actions = [
      "ssm:*Document*", "ssm:*Association*", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource", "ssm:ListTagsForResource",
    ]
    resources = [
      "${local.prefix}:ssm:${local.region}:${local.account}:document/${each.value}*",
      "${local.prefix}:ssm:${local.region}:${local.account}:association/*",
      "${local.prefix}:ec2:${local.region}:${local.account}:instance/*",
    ]
  }

  statement {
    sid       = "NotOthers"
    effect    = "Deny"
    actions   = ["ec2:*", "ssm:*Association*", "rds:*", "elasticloadbalancing:*", "servicediscovery:*", "apigateway:*", "ecs:*"]
    resources = ["*"]

    condition {
      test     = "StringNotEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [each.value]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Environment"
      values   = ["false"]
    }
  }
}

data "aws_iam_policy_document" "roles" {
  #checkov:skip=CKV_AWS_356:the linked roles' names are AWS's
  for_each = local.names

  statement {
    sid       = "ReadRoles"
    actions   = ["iam:Get*", "iam:List*"]
    resources = ["${local.prefix}:iam::${local.account}:role/${each.value}-*", "${local.prefix}:iam::${local.account}:instance-profile/${each.value}*"]
  }

  # Roles are made with the boundary only: a deploy can give nobody, itself included, more than that.
  statement {
    sid = "BoundedRoles"
    actions = [
      "iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy",
      "iam:PutRolePermissionsBoundary",
    ]
    resources = ["${local.prefix}:iam::${local.account}:role/${each.value}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy",
      "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:AddRoleToInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
    ]
    resources = ["${local.prefix}:iam::${local.account}:role/${each.value}-*", "${local.prefix}:iam::${local.account}:instance-profile/${each.value}*"]
  }

  statement {
    sid       = "PassRoles"
    actions   = ["iam:PassRole"]
    resources = ["${local.prefix}:iam::${local.account}:role/${each.value}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
  }

  # Its own role begins with the same name: neither it nor the boundary are its to change.
  statement {
    sid       = "NotItself"
    effect    = "Deny"
    actions   = ["iam:*"]
    resources = ["${local.prefix}:iam::${local.account}:role/${each.value}-deploy"]
  }

  statement {
    sid       = "LinkedRoles"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["${local.prefix}:iam::${local.account}:role/aws-service-role/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values = [
        "ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com",
        "rds.amazonaws.com", "ops.apigateway.amazonaws.com",
      ]
    }
  }
}
