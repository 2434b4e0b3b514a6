locals {
  registries = distinct([for image in values(var.images) : split("/", image)[0]])
}

resource "aws_ssm_document" "start" {
  name            = "${var.name}-start"
  document_type   = "Command"
  document_format = "JSON"

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Fetches the files of ${var.name} and starts what changed"
    parameters = {
      Revision = { type = "String", description = "Another one has it run again", allowedPattern = "^[0-9a-f]{64}$" }
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "start"
      inputs = {
        timeoutSeconds = "1800"
        runCommand = [
          "export AWS_REGION=${data.aws_region.here.name} AWS_DEFAULT_REGION=${data.aws_region.here.name}",
          "export TAXI_FILES=s3://${var.bucket}/instance TAXI_SECRETS='${join(" ", [for name, arn in var.secrets : "${name}=${arn}"])}'",
          "export TAXI_REGISTRIES='${join(" ", local.registries)}'",
          "echo ${base64encode(file("${path.module}/start.sh"))} | base64 --decode > /run/taxi-start.sh",
          "exec bash /run/taxi-start.sh # {{ Revision }}",
        ]
      }
    }]
  })
}

resource "aws_ssm_association" "start" {
  count = var.associate ? 1 : 0

  name             = aws_ssm_document.start.name
  association_name = "${var.name}-start"
  document_version = "$LATEST"
  parameters       = { Revision = local.revision }

  # An apply ends when the stack runs, and fails when it does not.
  wait_for_success_timeout_seconds = 2400

  targets {
    key    = "InstanceIds"
    values = [aws_instance.stack.id]
  }

  depends_on = [
    aws_iam_role_policy.instance, aws_iam_role_policy_attachment.session, aws_s3_object.file,
    aws_s3_object.made, aws_volume_attachment.data,
  ]
}
