#!/usr/bin/env bash
# The MLflow server: runs and models in Postgres, artifacts in S3, passed on by the server itself so
# that clients need no S3 key. Secrets come in the environment, where `ps` does not show them.
#   MLFLOW_BACKEND_STORE_URI  postgresql+psycopg2://…
#   TAXI_S3_BUCKET            the bucket; AWS_* and MLFLOW_S3_ENDPOINT_URL say how to reach it
#   MLFLOW_ADMIN_USERNAME, MLFLOW_ADMIN_PASSWORD, MLFLOW_FLASK_SERVER_SECRET_KEY
#                             with a password, everybody has to sign in; without, only this machine
#                             is listened to
#   MLFLOW_SERVER_ALLOWED_HOSTS  names by which it is called, beside localhost and private addresses
#   TAXI_HOST, TAXI_MLFLOW_PORT, MLFLOW (the command; default: mlflow)
set -euo pipefail

: "${MLFLOW_BACKEND_STORE_URI:?MLflow needs a database: postgresql+psycopg2://user:password@host/mlflow}"
host=${TAXI_HOST:-127.0.0.1}
mlflow=${MLFLOW:-mlflow}
sign_in=()

# The jobs of MLflow's evaluation features, which are not used here: seven processes of 260 MB.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
# MLflow's own use of its libraries, which nobody here can change.
export PYTHONWARNINGS="${PYTHONWARNINGS:-ignore:starlette.middleware.wsgi is deprecated}"

if [ -n "${MLFLOW_ADMIN_PASSWORD:-}" ]; then
    : "${MLFLOW_FLASK_SERVER_SECRET_KEY:?Sign-in needs a random secret that stays the same, for all workers}"
    private=$(mktemp -d)
    export MLFLOW_AUTH_CONFIG_PATH=$private/sign-in.ini
    python=$(dirname -- "$(command -v "$mlflow")")/python
    "$python" "$(dirname -- "${BASH_SOURCE[0]}")/sign_in.py" "$MLFLOW_AUTH_CONFIG_PATH"
    unset MLFLOW_ADMIN_USERNAME MLFLOW_ADMIN_PASSWORD
    sign_in=(--app-name basic-auth)
else
    case $host in
    127.* | localhost | ::1) ;;
    *)
        echo "MLflow does not listen on $host without a sign-in: set MLFLOW_ADMIN_PASSWORD and" \
            "MLFLOW_FLASK_SERVER_SECRET_KEY, or TAXI_HOST=127.0.0.1." >&2
        exit 1
        ;;
    esac
fi

exec "$mlflow" server \
    --host "$host" --port "${TAXI_MLFLOW_PORT:-5000}" --workers 1 "${sign_in[@]}" \
    --uvicorn-opts --no-access-log \
    --serve-artifacts --artifacts-destination "s3://${TAXI_S3_BUCKET:-taxi-duration}/mlflow"
