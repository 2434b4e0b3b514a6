#!/bin/sh
# What the official image does with an empty volume: a cluster of POSTGRES_USER, who needs a
# password over TCP, with the database POSTGRES_DB.
set -eu

case ${1:-postgres} in
    -*) set -- postgres "$@" ;;
    postgres) ;;
    *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

create() {
    user=${POSTGRES_USER:-postgres}
    password=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")}
    [ -n "$password" ] || {
        echo "Postgres takes no empty password: set POSTGRES_PASSWORD." >&2
        exit 1
    }
    umask 077
    printf %s "$password" >"$PGDATA.password"
    # The variable holds several arguments, as with the official image.
    # shellcheck disable=SC2086
    initdb -D "$PGDATA" -U "$user" -E UTF8 --locale=C.UTF-8 --auth-local=trust \
        --auth-host=scram-sha-256 --pwfile="$PGDATA.password" ${POSTGRES_INITDB_ARGS:-}
    rm "$PGDATA.password"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    database=${POSTGRES_DB:-$user}
    [ "$database" = postgres ] ||
        echo "CREATE DATABASE \"$database\"" | postgres --single -j -D "$PGDATA" postgres
}

[ -s "$PGDATA/PG_VERSION" ] || create
exec "$@"
