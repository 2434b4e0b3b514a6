#!/usr/bin/env bash
# `make backup`: all databases of Postgres and all objects of S3 in one folder, backups/<time>, which
# is there whole or not at all. The stack may go on meanwhile. docs/backup.md says what is in it.
set -euo pipefail
cd "$(dirname "$0")/.."
. containers/parts.sh
umask 077

time=$(date -u +%Y-%m-%dT%H%M%SZ)
draft=$backups/.$time
mkdir -p "$draft"
trap 'rm -rf "$draft"' EXIT
start_stores
found=$(databases)
mapfile -t found <<<"$found"
[ -n "${found[0]}" ] || fail "There is nothing to keep yet: Postgres has no database of the stack."

{
    echo "$format"
    printf 'made\t%s\n' "$time"
    printf 'revision\t%s\n' "$(git rev-parse HEAD 2>/dev/null || echo unknown)"
} >"$draft/manifest"
# The databases first: what they name in S3 was stored before.
for line in "${found[@]}"; do
    IFS=$'\t' read -r name owner <<<"$line"
    echo "Postgres: $name …"
    in_postgres pg_dump --format=custom --dbname="$name" </dev/null >"$draft/$name.dump"
    printf 'database\t%s\t%s\n' "$name" "$owner" >>"$draft/manifest"
done
echo "S3 …"
bucket save </dev/null >"$draft/objects.tar"
printf 'objects\t%s\n' "$(tar -tf "$draft/objects.tar" | wc -l | tr -d ' ')" >>"$draft/manifest"
(cd "$draft" && sha256sum -- * >SHA256SUMS)
sync "$draft"/* "$draft"
mv "$draft" "$backups/$time"
echo "$backups/$time: ${#found[@]} databases, $(sed -n 's/^objects\t//p' "$backups/$time/manifest") objects, $(du -sh "$backups/$time" | cut -f1)."
