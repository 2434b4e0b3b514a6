# What servers may ever do, whoever writes their policies: no IAM, no network, no other bucket.
resource "aws_iam_policy" "boundary" {
  name        = "${var.name}-boundary"
  description = "No role that a deploy makes may go beyond"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "boundary" {
  #checkov:skip=CKV_AWS_108:a bound, which gives nothing by itself; buckets and secrets are named
  #checkov:skip=CKV_AWS_111:a bound, which gives nothing by itself
  #checkov:skip=CKV_AWS_356:a bound, which gives nothing by itself
  #checkov:skip=CKV_AWS_109:a bound, which gives nothing by itself
  statement {
    sid       = "OurBuckets"
    actions   = ["s3:GetObject*", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:List*", "s3:GetBucketLocation"]
    resources = ["${local.prefix}:s3:::${var.name}-*-data-${local.account}", "${local.prefix}:s3:::${var.name}-*-data-${local.account}/*"]
  }

  statement {
    sid     = "OurSecrets"
    actions = ["secretsmanager:GetSecretValue"]
    resources = [
      "${local.prefix}:secretsmanager:${local.region}:${local.account}:secret:${var.name}-*",
      "${local.prefix}:secretsmanager:${local.region}:${local.account}:secret:rds!*",
    ]
  }

  # What instances need of Systems Manager (sessions instead of SSH), and all of them to start and log.
  statement {
    sid = "StartAndLog"
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
      "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
      "cloudwatch:PutMetricData", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
      "ssm:*", "ssmmessages:*", "ec2messages:*", "kms:Decrypt", "kms:GenerateDataKey",
    ]
    resources = ["*"]
  }
}
