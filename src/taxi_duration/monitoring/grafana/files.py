"""The files below `monitoring/grafana` that are made from this package."""

import json
from pathlib import Path
from typing import Final

from taxi_duration.monitoring.grafana.alerts import alerting
from taxi_duration.monitoring.grafana.drift import drift
from taxi_duration.monitoring.grafana.model import model
from taxi_duration.monitoring.grafana.parts import Json
from taxi_duration.monitoring.grafana.pipelines import pipelines
from taxi_duration.monitoring.grafana.service import service

DASHBOARDS: Final = "dashboards"
ALERTS: Final = "provisioning/alerting/rules.json"


def dashboards() -> list[Json]:
    """All dashboards."""
    return [model(), drift(), service(), pipelines()]


def files() -> dict[str, str]:
    """The text of each file by its path below `monitoring/grafana`."""
    made = dashboards()
    panels = {
        (each["title"], panel["title"]): panel["id"] for each in made for panel in each["panels"]
    }
    found = {f"{DASHBOARDS}/{each['title'].lower()}.json": each for each in made}
    return {path: _text(each) for path, each in {**found, ALERTS: alerting(panels)}.items()}


def write(folder: Path) -> list[Path]:
    """Write all files below the folder; returns where they are."""
    written = []
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
