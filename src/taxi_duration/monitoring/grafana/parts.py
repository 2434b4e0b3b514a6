"""What dashboards are made of: queries, panels and their places, as Grafana's JSON has them.

The names are those of Grafana's dashboard schema, which the tests compare them with.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

Json = dict[str, Any]

POSTGRES: Final = {"type": "grafana-postgresql-datasource", "uid": "taxi-postgres"}
PROMETHEUS: Final = {"type": "prometheus", "uid": "taxi-prometheus"}
TAG: Final = "taxi-duration"
# The latest version of the JSON that its own documentation describes; Grafana migrates older ones.
SCHEMA_VERSION: Final = 41
COLUMNS: Final = 24
# Milliseconds from which on two values are not joined by a line: more than one step of the series
# and less than two. Of Prometheus Grafana knows the step.
_HOUR: Final = 3_600_000
BY_MONTH: Final = 40 * 24 * _HOUR
BY_DAY: Final = 36 * _HOUR
BY_HOUR: Final = _HOUR * 3 // 2
# Series of these names are limits, not measurements: they are drawn as dashed lines.
LIMITS: Final = "/^(threshold|lower limit|upper limit|wanted|floor)$/"


def sql(text: str, shape: Literal["table", "time_series"] = "table") -> Json:
    """A query of Postgres; a time series has a column `time`, rows in its order, and numbers."""
    return {
        "datasource": POSTGRES,
        "editorMode": "code",
        "format": shape,
        "rawQuery": True,
        "rawSql": "\n".join(line.rstrip() for line in text.strip().splitlines()),
    }


def series(text: str) -> Json:
    """A query of Postgres with a column `time`; a column `metric` names series, else columns do."""
    return sql(text, "time_series")


def prom(expression: str, legend: str) -> Json:
    """A query of Prometheus over the time that is shown."""
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend,
        "range": True,
    }


def steps(*limits: tuple[float, str], base: str = "green") -> Json:
    """Colours by value: `base` up to the first limit, then each from its limit on."""
    coloured = [{"color": color, "value": value} for value, color in limits]
    return {"mode": "absolute", "steps": [{"color": base, "value": None}, *coloured]}


def instant(query: Json) -> Json:
    """The query of Prometheus for now alone: a series that is no more has no value."""
    return {**query, "instant": True, "range": False}


def stat(title: str, meaning: str, query: Json, unit: str = "none", **more: Any) -> Json:
    """One value in large type; `colors` are its `steps`, `text` says that it is no number.

    It is that of now, whatever time is shown.
    """
    query = instant(query) if "expr" in query else query
    colors, text = more.pop("colors", None), more.pop("text", False)
    options = {
        "colorMode": "value" if colors else "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {
            "calcs": ["lastNotNull"],
            "fields": "/.*/" if text else "",
            "values": False,
        },
        "showPercentChange": False,
        "textMode": "value",
        "wideLayout": True,
    }
    defaults = {"noValue": "no figures yet", "unit": unit, "thresholds": colors or steps()}
    made = _panel("stat", title, meaning, [query], options, {"width": 4, "height": 4, **more})
    return {**made, "fieldConfig": {"defaults": defaults, "overrides": []}}


def lines(
    title: str, meaning: str, queries: Json | Sequence[Json], unit: str = "none", **more: Any
) -> Json:
    """Values over time; `bars` and `stacked` say how they are drawn, `least` where the axis begins.

    A gap is drawn as a gap: what was not measured is not shown as if it were. `step` is one of
    BY_MONTH, BY_DAY and BY_HOUR, for queries of Postgres.
    """
    bars, stacked = more.pop("bars", False), more.pop("stacked", False)
    step = more.pop("step", BY_MONTH)
    targets = [queries] if isinstance(queries, dict) else list(queries)
    defaults: Json = {
        "custom": {
            "drawStyle": "bars" if bars else "line",
            "fillOpacity": 60 if bars else 8,
            "insertNulls": step if "rawSql" in targets[0] else False,
            "lineWidth": 1 if bars else 2,
            "pointSize": 6,
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        },
        "noValue": "no figures yet",
        "unit": unit,
    }
    if "least" in more:
        defaults["min"] = more.pop("least")
    options = {
        "legend": {"calcs": ["lastNotNull"], "displayMode": "list", "placement": "bottom"}
        | {"showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    made = _panel("timeseries", title, meaning, targets, options, {"width": 12, "height": 8} | more)
    return {**made, "fieldConfig": {"defaults": defaults, "overrides": [_as_limits()]}}


def table(
    title: str, meaning: str, query: Json, units: dict[str, str] | None = None, **more: Any
) -> Json:
    """Rows as they come; `units` by column, and columns in `links` are addresses to open."""
    links = more.pop("links", ())
    defaults = {
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        "noValue": "",
    }
    overrides = [_of_column(name, "unit", unit) for name, unit in (units or {}).items()]
    overrides += [_of_column(name, "links", [_link()]) for name in links]
    options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    made = _panel("table", title, meaning, [query], options, {"width": 24, "height": 8} | more)
    return {**made, "fieldConfig": {"defaults": defaults, "overrides": overrides}}


def placed(panels: Sequence[Json]) -> list[Json]:
    """The panels with numbers and places, from left to right and from the top down."""
    found, x, y, row = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        width, height = panel["gridPos"]["w"], panel["gridPos"]["h"]
        if x + width > COLUMNS:
            x, y, row = 0, y + row, 0
        found.append({"id": number, **panel, "gridPos": {**panel["gridPos"], "x": x, "y": y}})
        x, row = x + width, max(row, height)
    return found


def dashboard(name: str, meaning: str, panels: Sequence[Json], **more: Any) -> Json:
    """A dashboard with links to the others; `variables` and `annotations` are lists."""
    link = {
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": False,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Taxi duration",
        "tooltip": "",
        "type": "dashboards",
    }
    return {
        "annotations": {"list": more.get("annotations", [])},
        "description": meaning,
        "editable": False,
        "graphTooltip": 1,
        "links": [link],
        "panels": placed(panels),
        "refresh": more.get("refresh", "5m"),
        "schemaVersion": SCHEMA_VERSION,
        "tags": [TAG],
        "templating": {"list": more.get("variables", [])},
        # The City's trips begin in 2013, and a backfill brings any of them.
        "time": {"from": more.get("since", "now-10y"), "to": "now"},
        # Months begin at midnight UTC here, wherever the reader sits.
        "timezone": more.get("timezone", "utc"),
        "title": name,
        "uid": f"taxi-{name.lower()}",
    }


def source_variable() -> Json:
    """`$source`: the source whose report is the newest first, so that it is chosen at the start."""
    query = (
        "SELECT source FROM monitoring.drift_months WHERE source <> 'drill'"
        " GROUP BY source ORDER BY max(reported_at) DESC"
    )
    return {
        "datasource": POSTGRES,
        "description": "Where the trips come from.",
        "includeAll": False,
        "label": "Trips of",
        "multi": False,
        "name": "source",
        "query": query,
        "refresh": 1,
        "sort": 0,
        "type": "query",
    }


def annotation(name: str, text: str) -> Json:
    """Marks at the moments that a query finds: `time`, `text` and `tags`."""
    return {
        "datasource": POSTGRES,
        "enable": True,
        "iconColor": "blue",
        "name": name,
        "target": {**sql(text), "refId": "Anno"},
    }


def _panel(
    kind: str, title: str, meaning: str, targets: list[Json], options: Json, size: Json
) -> Json:
    letters = [{**target, "refId": chr(ord("A") + n)} for n, target in enumerate(targets)]
    return {
        "datasource": targets[0]["datasource"],
        "description": meaning,
        "gridPos": {"h": size["height"], "w": size["width"]},
        "options": options,
        "targets": letters,
        "title": title,
        "type": kind,
    }


def _as_limits() -> Json:
    style = {"dash": [8, 8], "fill": "dash"}
    return {
        "matcher": {"id": "byRegexp", "options": LIMITS},
        "properties": [
            {"id": "custom.lineStyle", "value": style},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.drawStyle", "value": "line"},
        ],
    }


def _of_column(name: str, what: str, value: Any) -> Json:
    matcher = {"id": "byName", "options": name}
    return {"matcher": matcher, "properties": [{"id": what, "value": value}]}


def _link() -> Json:
    return {"title": "Open", "url": "${__value.raw}", "targetBlank": True}
