"""The embedded stack: Postgres, S3, MLflow, Mage and the service as processes of one machine."""
