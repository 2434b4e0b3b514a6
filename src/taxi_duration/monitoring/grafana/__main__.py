"""`python -m taxi_duration.monitoring.grafana FOLDER`: write Grafana's files below the folder."""

import sys
from pathlib import Path

from taxi_duration.monitoring.grafana.files import write

for path in write(Path(sys.argv[1])):
    print(path)  # noqa: T201  what a person asked for
