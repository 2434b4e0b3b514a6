#!/usr/bin/env bash
# `make restore BACKUP=backups/<time>`: Postgres and S3 as `make backup` found them. All that could
# write is stopped meanwhile, and started again afterwards. FORCE=1 gives up what the stack has now.
set -eEuo pipefail
cd "$(dirname "$0")/.."
. containers/parts.sh

backup=${BACKUP:-}
aside=_restored

# Unknown or damaged: said before anything is touched.
check() {
    [ -n "$backup" ] || fail "Which one? make restore BACKUP=…, of: $(echo "$backups"/*/)"
    [ -f "$backup/manifest" ] && [ -f "$backup/SHA256SUMS" ] || fail "$backup is not a backup."
    [ "$(head -1 "$backup/manifest")" = "$format" ] ||
        fail "$backup was made by another version of this project: its format is not \"$format\"."
    local name
    for name in manifest objects.tar "${names[@]/%/.dump}"; do
        grep -q "  $name\$" "$backup/SHA256SUMS" || fail "$backup is damaged: $name is not among its checksums."
    done
    (cd "$backup" && sha256sum --check --strict --quiet SHA256SUMS) || fail "$backup is damaged; nothing was changed."
}

# What a stack has that was used: tables, or objects.
has_data() {
    local name owner tables objects
    while IFS=$'\t' read -r name owner; do
        [ -n "$name" ] || continue
        tables=$(query "$name" "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
        [ "$tables" = 0 ] || return 0
    done <<<"$(databases)"
    objects=$(bucket list </dev/null) || fail "S3 does not say what it has."
    [ -n "$objects" ]
}

# A database is put together aside and takes the other's place in one moment.
restore_aside() {
    query postgres "DROP DATABASE IF EXISTS \"$1$aside\" WITH (FORCE)"
    query postgres "CREATE DATABASE \"$1$aside\" OWNER \"$2\" TEMPLATE template0"
    in_postgres pg_restore --exit-on-error --single-transaction --dbname="$1$aside" <"$backup/$1.dump"
}

swap() {
    query postgres "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)"
    query postgres "ALTER DATABASE \"$1$aside\" RENAME TO \"$1\""
}

names=() owners=()
while IFS=$'\t' read -r kind name owner; do
    [ "$kind" != database ] || { names+=("$name") && owners+=("$owner"); }
done < <(cat "$backup/manifest" 2>/dev/null)
check
mapfile -t running < <(docker compose ps --services --status running | grep -vxE 'postgres|s3|')
start_stores
if [ "${FORCE:-}" != 1 ] && has_data; then
    fail "The stack has data, which $backup would take the place of. To give it up: make restore BACKUP=$backup FORCE=1"
fi

[ ${#running[@]} = 0 ] || docker compose stop "${running[@]}"
trap 'echo "Not restored whole: mend the cause above and restore again with FORCE=1." >&2' ERR
docker compose run --rm --no-TTY provision </dev/null
for i in "${!names[@]}"; do
    echo "Postgres: ${names[i]} …"
    restore_aside "${names[i]}" "${owners[i]}"
done
echo "S3 …"
bucket load <"$backup/objects.tar"
for name in "${names[@]}"; do swap "$name"; done
# What a database lets its roles do is not in a dump.
docker compose run --rm --no-TTY provision </dev/null
echo "Restored from $backup: ${names[*]}, $(sed -n 's/^objects\t//p' "$backup/manifest") objects."
if [ ${#running[@]} = 0 ]; then
    echo "\`docker compose up --detach\` starts the rest."
else
    docker compose start "${running[@]}"
fi
