"""What is checked in is what the code makes, and it holds together."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxi_duration.monitoring.grafana.alerts import markdown, rules
from taxi_duration.monitoring.grafana.files import ALERTS, dashboards, files, write
from taxi_duration.monitoring.grafana.parts import COLUMNS, POSTGRES, PROMETHEUS

UIDS = {POSTGRES["uid"], PROMETHEUS["uid"]}


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "monitoring" / "grafana"


def panels() -> list[tuple[str, dict[str, Any]]]:
    return [(each["title"], panel) for each in dashboards() for panel in each["panels"]]


def test_the_files_are_what_the_code_makes(folder: Path) -> None:
    for name, text in files().items():
        assert (folder / name).read_text() == text, f"{name}: `make dashboards` writes it anew"
    assert len(list((folder / "dashboards").iterdir())) == len(dashboards())


def test_the_page_lists_the_rules_that_the_code_declares(root: Path) -> None:
    assert markdown() in (root / "docs" / "grafana.md").read_text()


def test_writing_makes_every_file(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in written} == set(files())
    assert all(path.read_text() for path in written)


def test_no_panel_covers_another_or_leaves_the_page() -> None:
    for board in dashboards():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert at["x"] + at["w"] <= COLUMNS, panel["title"]
            assert not cells & taken, panel["title"]
            taken |= cells


def test_every_panel_says_what_it_shows() -> None:
    for board, panel in panels():
        assert panel["description"].endswith("."), (board, panel["title"])


def test_a_value_of_now_is_asked_for_now_alone() -> None:
    """Over a time, the version that served before would be shown beside the one that serves."""
    asked = [
        target
        for _, panel in panels()
        for target in panel["targets"]
        if panel["type"] == "stat" and "expr" in target
    ]
    assert len(asked) >= 6
    assert all(target["instant"] and not target["range"] for target in asked)


def test_no_line_goes_over_a_month_a_day_or_an_hour_that_is_missing() -> None:
    hour = 3_600_000
    steps = {"month": (31 * 24 * hour, 59 * 24 * hour), "day": (24 * hour, 48 * hour)}
    steps |= {"hour": (hour, 2 * hour), "window": (hour, 2 * hour)}
    for board, panel in panels():
        if panel["type"] != "timeseries" or "rawSql" not in panel["targets"][0]:
            continue
        found = re.search(r"by (month|day|hour|window)$|live traffic", panel["title"])
        named = (found[1] or "window") if found else "month"
        least, most = steps[named]
        drawn = panel["fieldConfig"]["defaults"]["custom"]
        assert least < drawn["insertNulls"] < most, (board, panel["title"])
        assert drawn["spanNulls"] is False


@pytest.mark.parametrize("name", ["Model", "Drift"])
def test_months_of_years_ago_are_shown_from_the_start(name: str) -> None:
    [board] = [board for board in dashboards() if board["title"] == name]
    found = re.fullmatch(r"now-(\d+)y", board["time"]["from"])
    assert found
    assert int(found[1]) >= 10


def test_the_titles_of_a_dashboard_differ() -> None:
    titles = [(board, panel["title"]) for board, panel in panels()]
    assert len(titles) == len(set(titles))


def test_each_rule_argues_for_its_threshold_and_says_what_to_do() -> None:
    for rule in rules():
        assert len(rule.threshold) > 80, rule.name
        assert rule.remedy, rule.name


def test_each_failure_that_matters_has_a_rule() -> None:
    assert {rule.name for rule in rules()} >= {
        "stale-data", "error-over-threshold", "drift", "coverage-lost", "service-errors", "slow",
        "no-model", "spool-growing", "scheduler-silent",
    }  # fmt: skip


def test_a_new_installation_has_time_to_bring_what_its_absence_alarms_about() -> None:
    lasting = {rule.name: rule.lasting for rule in rules() if rule.without_data == "Alerting"}
    assert lasting == {"stale-data": "1d", "scheduler-silent": "2h", "no-model": "2m"}


def test_no_text_of_a_rule_holds_what_grafana_takes_for_a_variable(folder: Path) -> None:
    for group in yaml.safe_load((folder / ALERTS).read_text())["groups"]:
        for rule in group["rules"]:
            assert "$" not in "".join([rule["title"], *rule["annotations"].values()])


def test_every_rule_leads_to_the_panel_that_shows_it() -> None:
    boards = {board["uid"]: board for board in dashboards()}
    titles = {rule.name: rule.shown for rule in rules()}
    for group in yaml.safe_load(files()[ALERTS])["groups"]:
        for rule in group["rules"]:
            board = boards[rule["dashboardUid"]]
            found = {panel["id"]: panel["title"] for panel in board["panels"]}
            assert (board["title"], found[rule["panelId"]]) == titles[rule["uid"]]


def test_what_is_asked_is_a_data_source_that_is_provided(folder: Path) -> None:
    sources = yaml.safe_load(
        (folder / "provisioning" / "datasources" / "taxi-duration.yml").read_text()
    )["datasources"]
    assert {(each["uid"], each["type"]) for each in sources} == {
        (each["uid"], each["type"]) for each in (POSTGRES, PROMETHEUS)
    }
    text = "".join(files().values())
    assert set(re.findall(r'"uid": "(taxi-(?:postgres|prometheus))"', text)) == UIDS


@pytest.mark.parametrize("name", ["webhook", "mail"])
def test_alarms_go_to_the_contact_point_that_the_same_file_makes(folder: Path, name: str) -> None:
    made = yaml.safe_load((folder / "contact-points" / f"{name}.yml").read_text())
    assert made["policies"][0]["receiver"] == made["contactPoints"][0]["name"]


def test_no_address_or_password_is_written_down(folder: Path) -> None:
    sources = yaml.safe_load(
        (folder / "provisioning" / "datasources" / "taxi-duration.yml").read_text()
    )["datasources"]
    for source in sources:
        values = [source["url"], *source.get("secureJsonData", {}).values()]
        assert all(re.fullmatch(r"\$[A-Z_]+", value) for value in values)
