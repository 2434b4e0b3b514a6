#!/bin/sh
# Runs Mage in the foreground: from the environment beside this file or, in a container, from PATH.
#
# Needs  MAGE_DATABASE_CONNECTION_URL (postgresql+psycopg2://…), JWT_SECRET, DEFAULT_OWNER_EMAIL,
#        DEFAULT_OWNER_USERNAME and DEFAULT_OWNER_PASSWORD.
# Reads  TAXI_HOST, TAXI_MAGE_PORT, TAXI_HOME, TAXI_MAGE_TRIGGER_TOKEN and, for the blocks, TAXI_*.
# Mage leaves children behind: whoever stops it ends its whole process group.
set -eu

: "${MAGE_DATABASE_CONNECTION_URL:?Mage needs a database: postgresql+psycopg2://user:password@host/mage}"
: "${JWT_SECRET:?Without a secret of its own Mage signs sessions with a public one}"
: "${DEFAULT_OWNER_PASSWORD:?Without a password of its own Mage has a public one}"

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
host=${TAXI_HOST:-127.0.0.1}
port=${TAXI_MAGE_PORT:-6789}

# All that Mage writes lies here; the project folder stays as it is in the repository.
export TAXI_HOME="${TAXI_HOME:-$(dirname -- "$here")/.local}"
export MAGE_DATA_DIR="${MAGE_DATA_DIR:-$TAXI_HOME/mage}"
export MAGE_VARIABLES_DIR="${MAGE_VARIABLES_DIR:-$MAGE_DATA_DIR}"
export MAX_NUMBER_OF_FILE_VERSIONS=0

export REQUIRE_USER_AUTHENTICATION=1 HIDE_API_TRIGGER_TOKEN=1
export DISABLE_AUTO_BROWSER_OPEN=1 DO_NOT_TRACK=1 MLFLOW_DISABLE_TELEMETRY=true
# How long a run waits for the scheduler, twice a run; ten seconds unless told.
export SCHEDULER_TRIGGER_INTERVAL="${SCHEDULER_TRIGGER_INTERVAL:-2}"

# Each look of the scheduler, and each request, would be a line; runs keep logs of their own.
export SERVER_VERBOSITY="${SERVER_VERBOSITY:-warning}"

# Whoever may edit a block, or open the terminal, runs code on this machine.
case $host in
127.* | localhost | ::1) ;;
*) export DISABLE_TERMINAL=1 DISABLE_NOTEBOOK_EDIT_ACCESS=1 ;;
esac

python=$here/.venv/bin/python
[ -x "$python" ] || python=python
mkdir -p "$MAGE_DATA_DIR"
cd "$MAGE_DATA_DIR"
exec "$python" "$here/serve.py" "$here/taxi_duration" --host "$host" --port "$port"
