#!/usr/bin/env bash
# The MLflow server: runs and models in Postgres, artifacts in S3, passed on by the server itself so
# that clients need no S3 key. Secrets come in the environment, where `ps` does not show them.
#   MLFLOW_BACKEND_STORE_URI  postgresql+psycopg2://…
#   TAXI_S3_BUCKET            the bucket; AWS_* and MLFLOW_S3_ENDPOINT_URL say how to reach it
#   TAXI_HOST, TAXI_MLFLOW_PORT, MLFLOW (the command; default: mlflow)
set -euo pipefail

# The jobs of MLflow's evaluation features, which are not used here: seven processes of 260 MB.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true

exec "${MLFLOW:-mlflow}" server \
    --host "${TAXI_HOST:-127.0.0.1}" --port "${TAXI_MLFLOW_PORT:-5000}" --workers 1 \
    --serve-artifacts --artifacts-destination "s3://${TAXI_S3_BUCKET:-taxi-duration}/mlflow"
