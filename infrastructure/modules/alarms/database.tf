locals {
  database_alarms = merge([for database in var.database[*] : {
    "database-disk" = {
      description = "Less than a fifth of the database's disk is free. Predictions of 90 days are kept (TAXI_PREDICTION_LOG_DAYS): keep fewer, or give it more."
      namespace   = "AWS/RDS"
      metric      = "FreeStorageSpace"
      statistic   = "Minimum"
      dimensions  = { DBInstanceIdentifier = database.identifier }
      below       = 0.2 * database.storage_gib * 1024 * 1024 * 1024
      minutes     = 15
    }
    "database-processor" = {
      description = "The database used more than 80% of its processor for 15 minutes; a monthly run takes less. A small class then also spends its credits. Look for slow queries, or give it a larger class."
      namespace   = "AWS/RDS"
      metric      = "CPUUtilization"
      statistic   = "Average"
      dimensions  = { DBInstanceIdentifier = database.identifier }
      above       = 80
      minutes     = 15
    }
    "database-connections" = {
      description = "More than 80% of the database's connections are taken. Each task of the service has a few: fewer tasks, or a larger class."
      namespace   = "AWS/RDS"
      metric      = "DatabaseConnections"
      statistic   = "Maximum"
      dimensions  = { DBInstanceIdentifier = database.identifier }
      above       = floor(0.8 * database.max_connections)
      minutes     = 5
    }
  }]...)

  database_panels = flatten([for database in var.database[*] : [
    { title = "Database: connections", stat = "Maximum", metrics = [["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", database.identifier]] },
  ]])
}
