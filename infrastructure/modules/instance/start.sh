#!/bin/bash
# Fetches the files, writes .env and starts what changed. Systems Manager runs it, with these in the
# environment: TAXI_FILES (s3://bucket/prefix), TAXI_SECRETS (NAME=ARN …),
# TAXI_REGISTRIES (hosts), AWS_REGION.
set -euo pipefail
umask 022

cloud-init status --wait >/dev/null || { echo "The machine was not made ready: see /var/log/cloud-init-output.log" >&2; exit 1; }

folder=${TAXI_FOLDER:-/opt/taxi}
mkdir -p "$folder"
cd "$folder"
mounted() { find . -mindepth 2 -type f -exec sha256sum {} + | sort; }
before=$(mounted)
aws s3 sync --only-show-errors --delete --exact-timestamps --exclude .env "$TAXI_FILES/" .

# The secrets are on this disk, for root alone: compose reads them at each start.
(
    umask 077
    cat settings.env >.env.new
    for secret in $TAXI_SECRETS; do
        value=$(aws secretsmanager get-secret-value --secret-id "${secret#*=}" --query SecretString --output text)
        printf '%s=%s\n' "${secret%%=*}" "$value" >>.env.new
    done
    mv .env.new .env
)

for registry in $TAXI_REGISTRIES; do
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null
done

compose=(docker compose -f docker-compose.yml -f docker-compose.aws.yml)
"${compose[@]}" pull --quiet
# It ends when all that others wait for is healthy, and fails where something is not.
"${compose[@]}" up --detach --no-build --remove-orphans
# What containers mount they read when they start; compose does not see that it changed.
[ "$before" = "$(mounted)" ] || "${compose[@]}" restart gateway prometheus
docker image prune --all --force --filter until=168h >/dev/null
