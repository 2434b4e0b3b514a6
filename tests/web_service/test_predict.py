import json
import logging
import time
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duration_service.champion import EXTENSION, ModelHolder
from duration_service.served import Served
from taxi_duration.contract import ModelVersion
from taxi_duration.model.duration_model import DurationModel
from taxi_duration.model.features import feature_matrix, feature_row

TO_OHARE = {
    "pickup_community_area": 8,
    "dropoff_community_area": 76,
    "trip_start_timestamp": "2022-04-01T10:30:00",
}


def asked(client: FlaskClient, trips: Any) -> Any:
    answer = client.post("/predict", json=trips)
    assert answer.status_code == 200, answer.text
    return answer.json


def minutes(client: FlaskClient, **fields: Any) -> float:
    return float(asked(client, {**TO_OHARE, **fields})["prediction"])


def test_a_trip_is_answered_with_minutes_and_the_model_that_said_so(
    client: FlaskClient, champion: ModelVersion
) -> None:
    answer = asked(client, {**TO_OHARE, "trip_id": "a-trip"})
    assert list(answer) == [
        "prediction",
        "lower",
        "upper",
        "unit",
        "model_version",
        "run_id",
        "trip_id",
    ]
    assert 0 < answer["lower"] <= answer["prediction"] <= answer["upper"]
    assert answer["unit"] == "minutes"
    assert answer["model_version"] == champion.version
    assert answer["run_id"] == champion.run_id
    assert answer["trip_id"] == "a-trip"


def test_the_answer_is_the_models_own(client: FlaskClient, model: DurationModel) -> None:
    features = feature_row(8, 76, datetime(2022, 4, 1, 10, 30))
    answer = asked(client, TO_OHARE)
    assert [answer["lower"], answer["prediction"], answer["upper"]] == model.predict(features)[
        0
    ].tolist()


def test_a_list_is_answered_in_order_as_each_of_its_trips_alone(client: FlaskClient) -> None:
    trips = [
        {**TO_OHARE, "pickup_community_area": area, "trip_id": f"from {area}"}
        for area in [32, "8", 77.0, None, 1]
    ]
    answers = asked(client, trips)
    assert [answer["trip_id"] for answer in answers] == [trip["trip_id"] for trip in trips]
    assert answers == [asked(client, trip) for trip in trips]


def test_a_list_of_one_is_answered_with_a_list(client: FlaskClient) -> None:
    assert asked(client, [TO_OHARE]) == [asked(client, TO_OHARE)]


def test_a_trip_id_changes_nothing(client: FlaskClient) -> None:
    assert minutes(client, trip_id="a") == minutes(client, trip_id="b") == minutes(client)


def test_a_trip_without_an_id_is_answered_with_null(client: FlaskClient) -> None:
    assert asked(client, TO_OHARE)["trip_id"] is None


def test_an_area_means_the_same_however_it_is_written(client: FlaskClient) -> None:
    assert len({minutes(client, pickup_community_area=area) for area in [8, 8.0, "8", "8.0"]}) == 1


def test_the_same_moment_means_the_same_in_every_zone(client: FlaskClient) -> None:
    times = ["2022-04-01T10:30:00", "2022-04-01T15:30:00Z", "2022-04-01T17:30:00.000+02:00"]
    assert len({minutes(client, trip_start_timestamp=time) for time in times}) == 1


def test_a_trip_without_a_time_starts_now_in_chicago(
    client: FlaskClient, model: DurationModel
) -> None:
    before = datetime.now(ZoneInfo("America/Chicago")).replace(tzinfo=None)
    answer = minutes(client, trip_start_timestamp=None)
    moments = np.array([before + timedelta(seconds=n) for n in range(60)], "datetime64[us]")
    expected = model.predict(feature_matrix(np.full(60, 8), np.full(60, 76), moments))[:, 1]
    assert expected.min() <= answer <= expected.max()


@pytest.mark.parametrize("trip", [{}, {"pickup_community_area": 8}, {"dropoff_community_area": 8}])
def test_where_an_area_is_unknown_the_answer_is_still_sensible(
    client: FlaskClient, trip: dict[str, int]
) -> None:
    for answer in (asked(client, trip), *asked(client, [trip])):
        assert isfinite(answer["prediction"])
        assert 1 <= answer["lower"] <= answer["prediction"] <= answer["upper"] <= 60


def test_ten_thousand_trips_are_answered_at_once(client: FlaskClient) -> None:
    assert len(asked(client, [{**TO_OHARE, "trip_id": "x" * 40}] * 10_000)) == 10_000


def test_a_wrong_trip_is_answered_with_a_problem_naming_the_field(client: FlaskClient) -> None:
    answer = client.post("/predict", json=[TO_OHARE, {**TO_OHARE, "pickup_community_area": 78}])
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem is not None
    assert (problem["type"], problem["status"]) == ("about:blank", 422)
    (error,) = problem["errors"]
    assert error["path"] == "$[1].pickup_community_area"
    assert error["came"] == "78"
    assert "1 to 77" in error["expected"]


def test_of_very_many_errors_the_first_hundred_are_told_at_once(client: FlaskClient) -> None:
    fields = ", ".join(f'"no_field_{number}": 1' for number in range(200_000))
    start = time.perf_counter()
    problem = client.post("/predict", data=f"{{{fields}}}").json
    assert time.perf_counter() - start < 5
    assert problem is not None
    assert len(problem["errors"]) == 100
    assert "More than 100" in problem["detail"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_another_content_type_is_refused_with_the_command_that_works(
    client: FlaskClient, content_type: str
) -> None:
    answer = client.post("/predict", data=msgspec.json.encode(TO_OHARE), content_type=content_type)
    assert answer.status_code == 415
    assert answer.headers["Accept"] == "application/json"
    assert content_type in answer.text
    assert "curl -H" in answer.text


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.trip+json", None]
)
def test_json_by_any_name_or_none_is_taken(client: FlaskClient, content_type: str | None) -> None:
    body = msgspec.json.encode(TO_OHARE)
    assert client.post("/predict", data=body, content_type=content_type).status_code == 200


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = client.post("/predict", data=b" " * 10_000_000, content_type="application/json")
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"
    assert "Split" in answer.text


def test_a_list_that_is_too_long_is_refused(client: FlaskClient) -> None:
    answer = client.post("/predict", json=[{}] * 10_001)
    assert answer.status_code == 413
    assert "10,000" in answer.text


def test_the_wrong_method_is_told_the_right_one(client: FlaskClient) -> None:
    answer = client.get("/predict")
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"
    assert "POST" in answer.headers["Allow"]
    assert "POST" in answer.text


def test_a_page_that_does_not_exist_is_answered_with_those_that_do(client: FlaskClient) -> None:
    answer = client.get("/predictions")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert "/predict, /ready" in answer.text


def test_without_a_model_the_caller_is_told_when_to_ask_again(empty: Flask) -> None:
    answer = empty.test_client().post("/predict", json=TO_OHARE)
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1


def test_without_a_model_a_wrong_trip_is_still_told_what_is_wrong(empty: Flask) -> None:
    assert empty.test_client().post("/predict", json={"area": 8}).status_code == 422


def test_a_fault_of_the_service_is_logged_whole_and_told_without_its_inside(
    app: Flask, champion: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    holder: ModelHolder = app.extensions[EXTENSION]
    broken: Any = object()
    holder.served = Served(champion, broken, "disk", datetime.now())
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().post("/predict", json=TO_OHARE)
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert "Traceback" not in answer.text
    assert "object" not in answer.text
    assert "AttributeError" in caplog.text
    assert answer.json is not None
    assert answer.json["instance"] in caplog.text


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
NEARLY_A_TRIP = st.fixed_dictionaries(
    {},
    optional={
        "pickup_community_area": st.integers(1, 77) | st.integers(-1, 99) | ANY_JSON,
        "dropoff_community_area": st.integers(1, 77).map(str)
        | st.floats(allow_nan=False, allow_infinity=False),
        "trip_start_timestamp": st.datetimes().map(datetime.isoformat) | st.text(),
        "trip_id": st.text() | ANY_JSON,
        "fare": ANY_JSON,
    },
)


@pytest.mark.slow
@given(body=NEARLY_A_TRIP | st.lists(NEARLY_A_TRIP, max_size=4) | ANY_JSON)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_json_has_an_answer_that_is_no_fault(client: FlaskClient, body: Any) -> None:
    answer = client.post("/predict", data=json.dumps(body), content_type="application/json")
    assert answer.status_code in {200, 422}
    expected = "application/json" if answer.status_code == 200 else "application/problem+json"
    assert answer.content_type == expected
    assert answer.json is not None


@given(body=st.binary(max_size=200), content_type=st.none() | st.just("application/json"))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_have_an_answer_that_is_no_fault(
    client: FlaskClient, body: bytes, content_type: str | None
) -> None:
    answer = client.post("/predict", data=body, content_type=content_type)
    assert answer.status_code in {200, 400, 422}
