data "aws_iam_policy_document" "machines" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "instance" {
  name                 = "${var.name}-instance"
  description          = "What the one instance may do: fetch its files, its secrets and the images"
  assume_role_policy   = data.aws_iam_policy_document.machines.json
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_instance_profile" "instance" {
  name = "${var.name}-instance"
  role = aws_iam_role.instance.name
}

# Systems Manager: starts, and sessions in place of SSH.
resource "aws_iam_role_policy_attachment" "session" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

locals {
  # <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:…
  repositories = {
    for name, image in var.images : name => regex("^([^.]+)\\.dkr\\.ecr\\.([^.]+)\\.[^/]+/([^@]+)@", image)
  }
}

data "aws_iam_policy_document" "instance" {
  # checkov:skip=CKV_AWS_356: The token for ECR is given for the registry as a whole; AWS knows no narrower resource.
  statement {
    sid       = "ListFiles"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["instance/*"]
    }
  }

  statement {
    sid       = "FetchFiles"
    actions   = ["s3:GetObject"]
    resources = ["${var.bucket_arn}/instance/*"]
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(var.secrets)
  }

  statement {
    sid       = "SignInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid     = "FetchImages"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = [
      for repository in values(local.repositories) :
      "arn:${data.aws_partition.here.partition}:ecr:${repository[1]}:${repository[0]}:repository/${repository[2]}"
    ]
  }
}

resource "aws_iam_role_policy" "instance" {
  name   = "instance"
  role   = aws_iam_role.instance.id
  policy = data.aws_iam_policy_document.instance.json
}
