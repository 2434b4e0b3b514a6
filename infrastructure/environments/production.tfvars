# What differs from the defaults of variables.tf. Images come by `-var` from the build.
name        = "taxi-duration-production"
domain      = "taxi.example.com"
lambda      = true
web_service = { least = 2, most = 6, cpu = 1024, memory = 2048 }
network     = { zones = 3, nat = true, interface_endpoints = false }

database = {
  instance_class       = "db.t4g.medium"
  max_connections      = 450
  storage_gb           = { first = 50, most = 200 }
  multi_az             = true
  backup_days          = 14
  performance_insights = true
}
