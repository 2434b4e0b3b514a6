# One machine with the whole stack in compose, as on a laptop: Postgres and S3 as well. Terraform puts
# the files into the bucket; Systems Manager has the machine fetch them and start, at first and after
# each change of a file, an image or the environment. Nobody signs in to it but by Session Manager.

data "aws_region" "here" {}
data "aws_partition" "here" {}
data "aws_caller_identity" "here" {}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_subnet" "here" {
  id = var.subnet_id
}

resource "aws_ebs_volume" "data" {
  # checkov:skip=CKV_AWS_189: Encrypted with a key of AWS; one of our own would keep out nobody that the rights let in.
  # checkov:skip=CKV2_AWS_9: The account's own plan of backups is not this module's; docs/aws.md says how to take a snapshot.
  availability_zone = data.aws_subnet.here.availability_zone
  size              = var.data_gib
  type              = "gp3"
  encrypted         = true
  final_snapshot    = var.protected

  tags = {
    Name = "${var.name}-data"
  }
}

# Its subnet gives no public addresses, and it has no key for SSH.
resource "aws_instance" "stack" {
  # checkov:skip=CKV_AWS_126: Figures every five minutes are enough for one machine.
  ami                     = nonsensitive(data.aws_ssm_parameter.image.value)
  instance_type           = var.instance_type
  subnet_id               = var.subnet_id
  vpc_security_group_ids  = [var.security_group_id]
  iam_instance_profile    = aws_iam_instance_profile.instance.name
  ebs_optimized           = true
  disable_api_termination = var.protected

  user_data_replace_on_change = true
  user_data = templatefile("${path.module}/prepare.sh.tftpl", {
    volume  = replace(aws_ebs_volume.data.id, "-", "")
    compose = var.compose
  })

  # One hop: containers cannot reach the machine's role.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 30
    encrypted   = true
  }

  tags = {
    Name = var.name
  }

  lifecycle {
    # A newer Amazon Linux comes with `terraform apply -replace`, and not on a day of its own choice.
    ignore_changes = [ami]
  }
}

resource "aws_volume_attachment" "data" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data.id
  instance_id                    = aws_instance.stack.id
  stop_instance_before_detaching = true
}

resource "aws_lb_target_group_attachment" "target" {
  for_each = var.targets

  target_group_arn = var.target_group_arns[each.key]
  target_id        = aws_instance.stack.id
  port             = each.value
}
