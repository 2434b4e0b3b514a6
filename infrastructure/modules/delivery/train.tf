# The workflow that starts a training run looks at its end whether the month's report lies in S3.
resource "aws_iam_role" "train" {
  name                 = "${var.name}-train"
  description          = "Environment training of ${var.github_repository}: reads production's reports"
  assume_role_policy   = data.aws_iam_policy_document.trust["training"].json
  max_session_duration = 21600
}

resource "aws_iam_role_policy" "train" {
  name   = "train"
  role   = aws_iam_role.train.id
  policy = data.aws_iam_policy_document.train.json
}

data "aws_iam_policy_document" "train" {
  statement {
    sid       = "ReadReports"
    actions   = ["s3:GetObject"]
    resources = ["${local.prefix}:s3:::${var.name}-production-*/reports/*"]
  }

  # Without it S3 says "forbidden" of what is not there.
  statement {
    sid       = "FindReports"
    actions   = ["s3:ListBucket"]
    resources = ["${local.prefix}:s3:::${var.name}-production-*"]
  }
}

output "train_role_arn" {
  description = "Taken by the GitHub environment training: reads production's reports."
  value       = aws_iam_role.train.arn
}
