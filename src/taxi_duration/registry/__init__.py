"""MLflow: runs that say what was tried, and the registered model that serves."""
