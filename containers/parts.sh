# What backup.sh and restore.sh share; both work from the top of the repository.
# shellcheck shell=bash

# What a backup's first line says; another number means that this script cannot read it.
# shellcheck disable=SC2034
format="taxi-duration backup 1"
# shellcheck disable=SC2034
backups=${BACKUPS:-backups}

fail() {
    echo "$*" >&2
    exit 1
}

# A program of the Postgres container, as the administrator; it signs in like everybody else.
in_postgres() {
    # It is the container that has these variables.
    # shellcheck disable=SC2016
    docker compose exec -T postgres sh -c 'PGOPTIONS="-c client_min_messages=warning" PGUSER=$POSTGRES_USER PGPASSWORD=$POSTGRES_PASSWORD exec "$@"' sh "$@"
}

query() {
    in_postgres psql --no-psqlrc --quiet --tuples-only --no-align --field-separator=$'\t' \
        --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2" </dev/null
}

# Each database of the stack and who owns it, with a tab between them.
databases() {
    query postgres "SELECT datname, pg_get_userbyid(datdba) FROM pg_database
                    WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"
}

# The bucket: list, save or load (src/taxi_duration/archive.py).
bucket() {
    docker compose run --rm --no-deps --no-TTY mage python -m taxi_duration.archive "$@"
}

start_stores() {
    docker compose up --detach --wait --no-recreate --quiet-pull postgres s3 2>/dev/null ||
        fail "Postgres and S3 do not start: see \`docker compose ps\` and \`docker compose logs postgres s3\`."
}
