# What holds data: bucket, database, images.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "taxi-duration-production"
}

run "the_bucket_is_private_encrypted_and_versioned" {
  command = plan

  variables {
    report_days = 400
  }

  module {
    source = "./modules/storage"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "No object can become public."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "Objects are encrypted with the account's key."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "A removed object can be brought back."
  }

  assert {
    condition     = toset([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id]) == toset(["old-versions", "unfinished-uploads", "reports"])
    error_message = "Old versions, unfinished uploads and old reports go."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A full bucket is not removed unless that was asked for."
  }
}

run "the_database_is_private_encrypted_and_protected" {
  command = plan

  variables {
    subnets        = ["subnet-1", "subnet-2"]
    security_group = "sg-1"
  }

  module {
    source = "./modules/database"
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "Encrypted, without a public address, and not removed by mistake."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "RDS makes the administrator's password; Terraform never knows it."
  }

  assert {
    condition     = [for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "rds.force_ssl"] == ["1"]
    error_message = "Connections without TLS are refused."
  }

  assert {
    condition     = aws_db_instance.this.backup_retention_period >= 7
    error_message = "There are backups."
  }
}

run "staging_can_be_removed" {
  command = plan

  variables {
    subnets        = ["subnet-1", "subnet-2"]
    security_group = "sg-1"
    protected      = false
  }

  module {
    source = "./modules/database"
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot
    error_message = "What is not protected leaves nothing."
  }
}

run "an_image_keeps_its_tag" {
  command = plan

  module {
    source = "./modules/registry"
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && !repository.force_delete])
    error_message = "A tag names one image for ever, and each image is scanned."
  }

  assert {
    condition     = keys(aws_ecr_repository.this) == ["grafana", "lambda", "mage", "mlflow", "web-service"]
    error_message = "Every image has a repository."
  }
}
