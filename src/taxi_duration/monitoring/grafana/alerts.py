"""The alert rules: one for each failure that matters, with an argument for its threshold."""

from typing import Any, Final, NamedTuple

from taxi_duration.monitoring.grafana.judged import ERROR_RATIO, EXPECTED, JUDGED
from taxi_duration.monitoring.grafana.loop import UNSENT
from taxi_duration.monitoring.grafana.model import LEAST_COVERAGE, MOST_COVERAGE
from taxi_duration.monitoring.grafana.parts import TAG, Json, instant, prom, sql
from taxi_duration.monitoring.grafana.pipelines import (
    FAILING,
    GIVEN_UP_DAYS,
    STALE,
    STALE_DAYS,
)
from taxi_duration.monitoring.grafana.service import ERRORS, SLOWEST, SPOOLED, within
from taxi_duration.monitoring.grafana.truth import LIVE_DRIFT, SILENT
from taxi_duration.settings import Settings

FOLDER: Final = "Taxi duration"
# What a rule's text shows of the value that raised it. Without `$`, which Grafana's files keep for
# variables of the environment.
VALUE: Final = '{{ with index .Values "A" }}{{ humanize .Value }}{{ end }}'
# Months that were reported long ago, such as those of a source that is used no more, alarm nobody.
RECENT: Final = "report.reported_at > now() - interval '40 days' AND report.source <> 'drill'"
# A share of fewer trips may be as far off by chance.
LEAST_TRIPS: Final = 500

_LATEST_PERFORMANCE: Final = f"""
SELECT DISTINCT ON (report.source) report.source, {{figure}}
{JUDGED}
WHERE report.model_version <> 'floor' AND month.trips >= {LEAST_TRIPS} AND {RECENT}
ORDER BY report.source, report.month DESC
"""

_DRIFT: Final = f"""
SELECT DISTINCT ON (report.source) report.source, drifted_share / nullif(threshold, 0) AS drift
FROM monitoring.drift_months AS report
WHERE {RECENT}
ORDER BY report.source, report.month DESC
"""  # noqa: S608  no part of it comes from outside

# The most that a column of the latest month misses beyond what the training trips missed.
_MISSING: Final = f"""
SELECT
    report.source, max(now.missing_share - before.missing_share) AS missing
FROM monitoring.drift_months AS report
JOIN monitoring.data_quality AS now
    ON (now.source, now.month, now.dataset) = (report.source, report.month, 'current')
JOIN monitoring.data_quality AS before
    ON (before.source, before.month, before.column_name, before.dataset)
        = (report.source, report.month, now.column_name, 'reference')
WHERE {RECENT} AND report.month = (
    SELECT max(month) FROM monitoring.drift_months WHERE source = report.source
)
GROUP BY report.source
"""  # noqa: S608  no part of it comes from outside
MISSING_SHARE: Final = float(Settings.model_fields["alarm_missing_share"].default)

ABOVE: Final = "gt"
BELOW: Final = "lt"
OUTSIDE: Final = "outside_range"


class Rule(NamedTuple):
    """A rule: what is measured, from where on it alarms, and why from there."""

    name: str
    title: str
    # Dashboard and panel that show it.
    shown: tuple[str, str]
    query: Json
    limits: tuple[str, tuple[float, ...]]
    # How long it has to hold.
    lasting: str
    summary: str
    threshold: str
    remedy: str
    severity: str = "warning"
    # What no rows mean: `OK`, or `Alerting` where something has to be there.
    without_data: str = "OK"


def rules() -> list[Rule]:
    """All rules, those of the model first."""
    return [*_of_model(), *_of_pipelines(), *_of_answers(), *_of_operation()]


def markdown() -> str:
    """The rules as a table in Markdown: name, title, from where on and after how long."""
    words = {ABOVE: "above {}", BELOW: "below {}", OUTSIDE: "below {} or above {}"}
    head = ["| rule | says | alarms | after |", "| --- | --- | --- | --- |"]
    return "\n".join(
        head
        + [
            f"| `{rule.name}` | {rule.title} | {words[rule.limits[0]].format(*rule.limits[1])} |"
            f" {'at once' if rule.lasting == '0s' else rule.lasting} |"
            for rule in rules()
        ]
    )


def alerting(panels: dict[tuple[str, str], int]) -> Json:
    """The file that Grafana reads the rules from; `panels` are their numbers by where they are."""
    groups = {
        "model": ("15m", [*_of_model(), *_of_pipelines()]),
        "service": ("1m", [*_of_answers(), *_of_operation()]),
    }
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": name,
                "folder": FOLDER,
                "interval": interval,
                "rules": [_in_grafana(rule, panels[rule.shown]) for rule in members],
            }
            for name, (interval, members) in groups.items()
        ],
    }


def _of_model() -> list[Rule]:
    return [
        Rule(
            "error-over-threshold",
            "The model's error is over its threshold",
            ("Model", "Error by month"),
            _performance(f"month.mae / {EXPECTED} AS ratio"),
            (ABOVE, (ERROR_RATIO,)),
            "0s",
            f"The error of the latest month is {VALUE} times what is expected of the model.",
            "Expected is the error on the trips that it was trained on, stretched to the month's"
            " mean duration: longer trips have larger errors, and the season is no failure."
            " Ordinary months lie at 1.0 to 1.1, as trips that were seen are easier. At"
            f" {ERROR_RATIO} the model is wrong in a way that training again can mend.",
            "See which columns drifted, then train again: `taxi run`. The gate keeps a worse model"
            " out.",
        ),
        Rule(
            "coverage-lost",
            "The 80% interval does not hold",
            ("Model", "Inside the 80% interval by month"),
            _performance("month.coverage_80 AS coverage"),
            (OUTSIDE, (LEAST_COVERAGE, MOST_COVERAGE)),
            "0s",
            f"{VALUE} of the latest month's trips were inside the interval; it promises 0.8.",
            f"The gate lets no model serve below {LEAST_COVERAGE} or above {MOST_COVERAGE}; one"
            f" that serves is held to the same. With {LEAST_TRIPS} trips chance moves a share by"
            " less than 0.04 (two standard deviations), so chance alone does not cross them.",
            "Train again: the interval is calibrated on the latest trips.",
        ),
        Rule(
            "drift",
            "The trips differ from those that the model was trained on",
            ("Drift", "Drifted columns by month"),
            sql(_DRIFT),
            (ABOVE, (0.999,)),
            "0s",
            f"The share of drifted columns in the latest month is {VALUE} times its threshold.",
            "The threshold is the setting's that the report was made with (by default half of the"
            " columns). A single column drifts with the season; half of them do not.",
            "Open the month's report from the dashboard. Where the world changed, train again;"
            " where the data broke, mend its loading.",
        ),
        Rule(
            "data-missing",
            "The trips miss values that they used to have",
            ("Drift", "Missing values by month"),
            sql(_MISSING),
            (ABOVE, (MISSING_SHARE,)),
            "0s",
            f"A share of {VALUE} more of the trips misses a value than when the model was trained.",
            f"The City leaves out some areas, and always about as many: a share of {MISSING_SHARE}"
            " more in a month is no season but a change in how trips are recorded or loaded. The"
            " pipeline alarms from there too.",
            "See which column in the dashboard; a model that is trained again learns the gap.",
        ),
        Rule(
            "live-drift",
            "The service is asked for other trips than usual",
            ("Drift", "Drifted columns of live traffic"),
            sql(LIVE_DRIFT),
            (ABOVE, (0.5,)),
            "0s",
            "Each of the last three windows that were compared has drifted.",
            "Windows are compared with the same hours of the week, so rush hours are no drift. One"
            " may be a football match; three in a row are a new caller, a broken one or a changed"
            " city. Windows that overlap, as those of `taxi live` do, are no row.",
            "Open a window's report from the dashboard; see who asks, and for what.",
        ),
    ]


def _of_pipelines() -> list[Rule]:
    return [
        Rule(
            "stale-data",
            "No new month came for too long",
            ("Pipelines", "Since a new month came"),
            sql(STALE),
            (ABOVE, (STALE_DAYS,)),
            "1d",
            f"The latest month of the trips first came {VALUE} days ago.",
            "The run on the first of each month brings the next one: at most 31 days lie between"
            " two. Four more leave time for a run that failed and was started again. The same month"
            " again is no new one, and a stand-in for the City does not hide that the City's trips"
            f" are old; a source without a run for {GIVEN_UP_DAYS} days is used no more."
            " Where nothing came yet it alarms too, after a day: until then a new installation has"
            " time for its first run.",
            "Has the City published a later month? Then `taxi status` and `taxi run`; the dashboard"
            " tells why runs failed. After a run by hand within a month the next one is due on the"
            " first, which may be later than this alarm.",
            without_data="Alerting",
        ),
        Rule(
            "scheduler-silent",
            "The scheduler starts nothing",
            ("Pipelines", "Since live traffic was compared"),
            sql(SILENT),
            (ABOVE, (3,)),
            "2h",
            f"The last run of live_monitoring ended {VALUE} hours ago, well or not.",
            "Mage starts one each hour, and it takes a minute. A run that fails ends too, so"
            " silence means that none began; three hours leave time for one that waits behind a"
            " monthly run, and two more for an upgrade or a new installation, which has had no run"
            " at all. A run by hand (`taxi live`) looks like the schedule's and hides its silence"
            " for as long.",
            "Is Mage up (`taxi status`), and is the hourly trigger active in its UI?",
            "critical",
            "Alerting",
        ),
        Rule(
            "run-failed",
            "The latest run of a pipeline failed",
            ("Pipelines", "Runs"),
            sql(FAILING),
            (ABOVE, (0.5,)),
            "0s",
            "The latest run of the pipeline failed; the dashboard says in which block and why.",
            "One is enough: blocks try again by themselves, so a run that failed needs a person."
            " It ends with the next run that completes.",
            "Correct what the error names, then `taxi run --month` with the same month.",
        ),
        Rule(
            "alarm-not-sent",
            "An alarm of the pipeline was not sent",
            ("Pipelines", "Alarms"),
            sql(UNSENT),
            (ABOVE, (0,)),
            "0s",
            f"{VALUE} alarms of the last day were refused by the webhook or the mail server.",
            "One is enough: whoever should know of it does not. It ends after a day, as by then it"
            " has been seen here.",
            "The dashboard says what was not sent and why; correct the address in the settings.",
        ),
    ]


def _of_answers() -> list[Rule]:
    slow = within(SLOWEST, "10m").replace("QUANTILE", "0.95")
    return [
        Rule(
            "service-errors",
            "The service fails",
            ("Service", "Errors"),
            prom(within(ERRORS, "5m"), "errors"),
            (ABOVE, (0.01,)),
            "5m",
            f"A share of {VALUE} of the requests for predictions ended in an error of the service.",
            "It answers what it cannot understand with 4xx, which does not count here: 5xx is its"
            " own failure and should be 0. One in a hundred, for five minutes, leaves out a"
            " restart. Of `/predict` alone: scrapes and health checks would make the share small.",
            "The service's log has the cause of each, by the answer's `instance`.",
            "critical",
        ),
        Rule(
            "slow",
            "Predictions are slow",
            ("Service", "Time of an answer"),
            prom(slow, "p95"),
            (ABOVE, (0.25,)),
            "10m",
            f"5% of the predictions take longer than {VALUE} seconds.",
            "One trip takes a few milliseconds and a list of 1,000 some tens. A quarter of a second"
            " is what a person notices; with 5% of the requests over it for ten minutes the machine"
            " is too small or too busy.",
            "More workers (`TAXI_SERVICE_WORKERS`) where processors are free, else more machines.",
        ),
        Rule(
            "no-model",
            "There is no model to answer with",
            ("Service", "Model"),
            prom("count(taxi_model_info) or vector(0)", "models"),
            (BELOW, (1,)),
            "2m",
            "The service has no model, or cannot be reached by Prometheus.",
            "Without a model each question is answered with 503. A start takes seconds and fetching"
            " a model some more: after two minutes it is not a start.",
            "`/ready` says why. `taxi model list`; `taxi run` makes the first one.",
            "critical",
            "Alerting",
        ),
    ]


def _of_operation() -> list[Rule]:
    return [
        Rule(
            "spool-growing",
            "Predictions do not reach Postgres",
            ("Service", "Waiting for Postgres"),
            prom(SPOOLED, "bytes"),
            (ABOVE, (1_000_000,)),
            "10m",
            f"{VALUE} bytes of predictions wait on the service's disk.",
            "They are brought away within seconds, so the spool is near empty. A megabyte is some"
            " 10,000 trips; after ten minutes Postgres is away, and not restarting. The oldest go"
            " only at 256 MB (`TAXI_PREDICTION_LOG_MAX_MEGABYTES`), which leaves hours.",
            "Is Postgres up, and is there room on its disk? Nothing has to be done for the spool.",
        ),
        Rule(
            "predictions-lost",
            "Predictions were given up",
            ("Service", "The log of predictions"),
            prom("sum(increase(taxi_prediction_log_dropped_total[15m]))", "lost"),
            (ABOVE, (0,)),
            "0s",
            f"{VALUE} predictions of the last 15 minutes are lost to the log.",
            "None should be, so one is enough: each is a prediction that can never be compared with"
            " what happened.",
            "The service's log says whether the disk was full or Postgres refused them.",
        ),
        Rule(
            "registry-away",
            "The service cannot reach MLflow",
            ("Service", "What the service depends on"),
            prom("min(taxi_registry_up)", "registry"),
            (BELOW, (1,)),
            "15m",
            "The service goes on with the model that it has, and sees no new one.",
            "Nothing fails by it at once, so it may last as long as an upgrade of MLflow takes: 15"
            " minutes.",
            "`taxi status`; MLflow's log.",
        ),
        Rule(
            "model-refused",
            "A new model failed the service's check",
            ("Service", "Changes of model"),
            prom("sum(increase(taxi_model_refusals_total[15m])) or vector(0)", "refused"),
            (ABOVE, (0,)),
            "0s",
            "The service goes on with the model before it.",
            "None should be: the gate has checked the same files. It is tried again each minute, so"
            " what was damaged on its way mends itself, and the alarm ends.",
            "`/model` says what was refused; `taxi model rollback` makes it the former one.",
        ),
    ]


def _performance(figure: str) -> Json:
    return sql(_LATEST_PERFORMANCE.format(figure=figure))


def _in_grafana(rule: Rule, panel: int) -> Json:
    dashboard, _ = rule.shown
    return {
        "uid": rule.name,
        "title": rule.title,
        "condition": "B",
        "for": rule.lasting,
        "noDataState": rule.without_data,
        "execErrState": "Error",
        "dashboardUid": f"taxi-{dashboard.lower()}",
        "panelId": panel,
        "labels": {"severity": rule.severity, "project": TAG},
        "annotations": {
            "summary": rule.summary,
            "threshold": rule.threshold,
            "remedy": rule.remedy,
        },
        "data": [_measured(rule), _compared(rule)],
    }


def _measured(rule: Rule) -> Json:
    model: Json = {**rule.query, "refId": "A", "intervalMs": 1000, "maxDataPoints": 43200}
    model = instant(model) if "expr" in model else model
    return _query("A", model, rule.query["datasource"]["uid"])


def _compared(rule: Rule) -> Json:
    kind, limits = rule.limits
    model = {
        "conditions": [{"evaluator": {"params": list(limits), "type": kind}}],
        "datasource": {"type": "__expr__", "uid": "__expr__"},
        "expression": "A",
        "refId": "B",
        "type": "threshold",
    }
    return _query("B", model, "__expr__")


def _query(name: str, model: dict[str, Any], datasource: str) -> Json:
    return {
        "refId": name,
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": datasource,
        "model": model,
    }
