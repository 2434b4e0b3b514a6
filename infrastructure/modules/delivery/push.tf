resource "aws_iam_role" "push" {
  name               = "${var.name}-push"
  description        = "main of ${var.github_repository}: pushes images"
  assume_role_policy = data.aws_iam_policy_document.trust["push"].json
}

resource "aws_iam_role_policy" "push" {
  name   = "push"
  role   = aws_iam_role.push.id
  policy = data.aws_iam_policy_document.push.json
}

data "aws_iam_policy_document" "push" {
  #checkov:skip=CKV_AWS_356:signing in to ECR belongs to no repository
  statement {
    sid       = "SignIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "Push"
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
      "ecr:DescribeImageScanFindings", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    ]
    resources = var.repository_arns
  }
}
