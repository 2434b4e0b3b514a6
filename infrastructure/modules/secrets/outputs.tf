output "arns" {
  description = "ARN of each secret, by the environment variable that takes its value: MLFLOW_BACKEND_STORE_URI, MAGE_DATABASE_CONNECTION_URL, TAXI_DATABASE_URL, TAXI_GRAFANA_DB_PASSWORD, MLFLOW_ADMIN_PASSWORD, MLFLOW_FLASK_SERVER_SECRET_KEY, DEFAULT_OWNER_PASSWORD, JWT_SECRET, TAXI_MAGE_TRIGGER_TOKEN, GF_SECURITY_ADMIN_PASSWORD."
  value       = { for variable, secret in aws_secretsmanager_secret.this : variable => secret.arn }
}
