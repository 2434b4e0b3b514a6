# What differs from the defaults of variables.tf. Images come by `-var` from the build: they change
# with each commit.
name      = "taxi-duration-staging"
domain    = "staging.taxi.example.com"
protected = false

database = {
  instance_class       = "db.t4g.micro"
  max_connections      = 110
  storage_gb           = { first = 20, most = 50 }
  multi_az             = false
  backup_days          = 1
  performance_insights = false
}
