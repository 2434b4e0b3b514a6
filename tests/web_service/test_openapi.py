"""`/openapi.json` says what the service takes and answers: all of it, and nothing else."""

import re
from calendar import monthrange
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from duration_service.operations import PROBLEMS
from taxi_duration.contract import FIRST_YEAR, LAST_YEAR, TIME, Trip
from taxi_duration.settings import Settings


@pytest.fixture
def described(client: FlaskClient) -> Any:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def test_it_is_valid_openapi(app: Flask, described: Any) -> None:
    assert described["openapi"].startswith("3.1.")
    schemathesis.openapi.from_wsgi("/openapi.json", app).validate()


def test_it_has_every_endpoint_and_no_other(app: Flask, described: Any) -> None:
    endpoints = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.arguments
    }
    assert endpoints == {(path, way) for path, ways in described["paths"].items() for way in ways}


def test_every_operation_can_fail_and_says_how(described: Any) -> None:
    for ways in described["paths"].values():
        for operation in ways.values():
            # The worker refuses requests before it knows what they ask for.
            everywhere = {"400", "408", "413", "414", "417", "429", "431", "500", "501", "505"}
            assert everywhere <= set(operation["responses"])
            assert operation["summary"]
    responses = described["components"]["responses"].values()
    assert all("application/problem+json" in response["content"] for response in responses)


def test_a_trip_has_the_fields_of_the_contract_with_the_rule_of_each(described: Any) -> None:
    trip = described["components"]["schemas"]["Trip"]
    assert list(trip["properties"]) == list(Trip.__struct_fields__)
    assert all(field["description"] for field in trip["properties"].values())
    assert trip["additionalProperties"] is False


def test_how_long_a_list_may_be_is_what_the_settings_say(
    described: Any, settings: Settings
) -> None:
    body = described["paths"]["/predict"]["post"]["requestBody"]
    (lists,) = [
        one for one in body["content"]["application/json"]["schema"]["anyOf"] if "items" in one
    ]
    assert (lists["minItems"], lists["maxItems"]) == (1, settings.max_trips_per_request)


def test_the_pattern_of_a_time_has_every_day_that_there_is_and_no_other() -> None:
    for year in range(FIRST_YEAR - 2, LAST_YEAR + 3):
        for month in range(14):
            days = monthrange(year, month)[1] if 1 <= month <= 12 else 0
            for day in range(33):
                possible = FIRST_YEAR <= year <= LAST_YEAR and 1 <= day <= days
                text = f"{year}-{month:02}-{day:02}T10:30:00"
                assert bool(TIME.fullmatch(text)) == possible, text


def test_the_hour_that_the_pattern_cannot_leave_out_is_described_and_refused(
    described: Any, client: FlaskClient
) -> None:
    trip = described["components"]["schemas"]["Trip"]
    skipped = "2022-03-13T02:30:00"
    assert TIME.fullmatch(skipped)
    description = trip["properties"]["trip_start_timestamp"]["description"]
    assert "outside the hour that clocks skip when summer time begins" in description
    assert client.post("/predict", json={"trip_start_timestamp": skipped}).status_code == 422


def test_the_page_of_the_api_has_every_kind_of_problem(root: Path) -> None:
    page = (root / "docs" / "api.md").read_text()
    shown = {int(status) for status in re.findall(r"^\| (\d{3}) \|", page, re.MULTILINE)}
    # What is asked at no path, or in no way that it knows, belongs to no operation.
    assert shown == set(PROBLEMS) | {404, 405}
