resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres17"
  description = "TLS or nothing; statements that change tables or take over a second are logged"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:a second machine doubles the price: the variable multi_az decides, and production has it
  #checkov:skip=CKV_AWS_293:the variable protected decides: staging has to be removable
  #checkov:skip=CKV_AWS_353:the smallest classes have no Performance Insights: a variable decides
  #checkov:skip=CKV_AWS_354:the key of the account encrypts them
  #checkov:skip=CKV_AWS_161:MLflow and Mage take a URL with a password; theirs are in Secrets Manager
  #checkov:skip=CKV_AWS_118:the figures of each minute that every instance gives feed the alarms
  identifier     = var.name
  engine         = "postgres"
  engine_version = "17"
  instance_class = var.instance_class

  allocated_storage     = var.storage_gb.first
  max_allocated_storage = var.storage_gb.most
  storage_type          = "gp3"
  storage_encrypted     = true

  # RDS makes the password, keeps it in Secrets Manager and changes it every week.
  username                    = "postgres"
  manage_master_user_password = true

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group]
  publicly_accessible    = false
  multi_az               = var.multi_az
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period   = var.backup_days
  backup_window             = "08:00-08:30"
  maintenance_window        = "sun:09:00-sun:09:30"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name}-last" : null
  delete_automated_backups  = !var.protected

  auto_minor_version_upgrade            = true
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = var.performance_insights
  performance_insights_retention_period = var.performance_insights ? 7 : null
}
