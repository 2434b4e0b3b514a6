import csv
import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from taxi_duration.simulation.columns import COLUMNS

OLD, NEW = "/resource/wrvz-psew", "/resource/ajtu-isnz"
DAY = (
    "trip_start_timestamp >= '2019-03-05T00:00:00' AND trip_start_timestamp < '2019-03-06T00:00:00'"
)


def ask(client: FlaskClient, path: str = f"{OLD}.json", **clauses: Any) -> TestResponse:
    return client.get(path, query_string={f"${name}": value for name, value in clauses.items()})


def rows(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = json.loads(response.text)
    return found


def csv_rows(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def test_every_answer_says_that_it_is_simulated(client: FlaskClient) -> None:
    for path in ("/health", f"{OLD}.json", f"{OLD}.json?$select=nothing", "/nowhere"):
        assert client.get(path).headers["X-Taxi-Source"] == "simulated"


def test_a_thousand_rows_are_given_unless_more_are_asked_for(client: FlaskClient) -> None:
    assert len(rows(ask(client))) == 1000
    assert len(rows(ask(client, limit=1500))) == 1500
    assert len(rows(ask(client, query="SELECT trip_id"))) == 1000


def test_json_has_numbers_as_text_points_as_geojson_and_no_nulls(client: FlaskClient) -> None:
    found = rows(ask(client, where=DAY))
    for row in found:
        for name, value in row.items():
            assert isinstance(value, dict if COLUMNS[name] == "point" else str)
    known = next(row for row in found if "pickup_centroid_location" in row)
    assert known["pickup_centroid_location"] == {
        "type": "Point",
        "coordinates": [
            float(known["pickup_centroid_longitude"]),
            float(known["pickup_centroid_latitude"]),
        ],
    }
    assert any("pickup_community_area" not in row for row in found)
    assert re.fullmatch(r"2019-03-05T\d\d:(00|15|30|45):00\.000", found[0]["trip_start_timestamp"])
    assert {row["pickup_community_area"] for row in found if "pickup_community_area" in row} <= {
        str(area) for area in range(1, 78)
    }


def test_csv_quotes_every_value_and_leaves_nulls_empty(client: FlaskClient) -> None:
    response = ask(client, f"{OLD}.csv", where=DAY)
    head, *lines = response.text.splitlines()
    assert head == ",".join(f'"{name}"' for name in COLUMNS)
    value = r'(?:"[^"]*")?'
    assert all(re.fullmatch(",".join([value] * len(COLUMNS)), line) for line in lines)
    assert re.search(r',"POINT \(-87\.\d+ 4[12]\.\d+\)",', lines[0])
    assert any(",," in line for line in lines)


def test_csv_and_json_hold_the_same_rows(client: FlaskClient) -> None:
    asked = {"where": DAY, "order": "trip_id,:id", "select": "trip_id,fare,company"}
    assert csv_rows(ask(client, f"{OLD}.csv", **asked)) == rows(ask(client, **asked))


def test_headers_name_and_type_the_columns(client: FlaskClient) -> None:
    whole = ask(client, limit=1)
    assert json.loads(whole.headers["X-SODA2-Fields"]) == list(COLUMNS)
    assert json.loads(whole.headers["X-SODA2-Types"]) == list(COLUMNS.values())
    part = ask(client, f"{OLD}.csv", select="count(*) as n, max(trip_start_timestamp)", where=DAY)
    assert json.loads(part.headers["X-SODA2-Fields"]) == ["n", "max_trip_start_timestamp"]
    assert json.loads(part.headers["X-SODA2-Types"]) == ["number", "floating_timestamp"]


def test_content_types_are_those_that_sodapy_recognizes(client: FlaskClient) -> None:
    content_type = ask(client, limit=1).headers["Content-Type"]
    assert re.match(r"application/(vnd\.geo\+)?json;\s*charset=utf-8", content_type)
    content_type = ask(client, f"{OLD}.csv", limit=1).headers["Content-Type"]
    assert re.match(r"text/csv;\s*charset=utf-8", content_type)


def test_pages_in_a_stable_order_make_up_the_whole_day(client: FlaskClient) -> None:
    asked = {"where": DAY, "order": "trip_id,:id"}
    whole = rows(ask(client, **asked))
    pages: list[dict[str, Any]] = []
    for offset in range(0, 400, 100):
        pages += rows(ask(client, **asked, limit=100, offset=offset))
    assert pages == whole
    assert len({row["trip_id"] for row in whole}) == len(whole) > 250


@pytest.mark.parametrize("order", [":id", "trip_id,:id"])
def test_rows_by_id_are_an_even_sample_of_the_day(client: FlaskClient, order: str) -> None:
    found = rows(ask(client, where=DAY, order=order, limit=100))
    morning = sum(row["trip_start_timestamp"] < "2019-03-05T12:00:00.000" for row in found)
    of_all = rows(ask(client, where=DAY))
    share = sum(row["trip_start_timestamp"] < "2019-03-05T12:00:00.000" for row in of_all) / len(
        of_all
    )
    assert abs(morning / 100 - share) < 0.15


def test_rows_come_in_the_order_that_is_asked_for(client: FlaskClient) -> None:
    found = rows(ask(client, where=DAY, order="company DESC, fare", select="company, fare"))
    keys = [(row["company"], -float(row["fare"])) for row in found]
    assert keys == sorted(keys, reverse=True)


def test_the_newest_rows_of_all_are_found_without_looking_at_all_days(client: FlaskClient) -> None:
    found = rows(ask(client, f"{NEW}.json", order="trip_start_timestamp DESC", limit=400))
    times = [row["trip_start_timestamp"] for row in found]
    assert times == sorted(times, reverse=True)
    assert times[0].startswith("2026-09-30")


def test_conditions_on_numbers_and_nulls_pick_rows(client: FlaskClient) -> None:
    far = rows(ask(client, where=f"{DAY} and trip_miles > 10 and pickup_community_area = 76"))
    assert far
    assert all(float(row["trip_miles"]) > 10 for row in far)
    assert {row["pickup_community_area"] for row in far} == {"76"}
    lost = rows(ask(client, where=f"{DAY} and pickup_community_area is null"))
    found = rows(ask(client, where=f"{DAY} and pickup_community_area is not null"))
    assert len(lost) + len(found) == len(rows(ask(client, where=DAY)))
    assert lost


def test_simple_filters_pick_rows_as_where_does(client: FlaskClient) -> None:
    where = f"{DAY} and company = 'Flash Cab' and pickup_community_area = 8"
    filtered = client.get(
        f"{OLD}.json",
        query_string={"$where": DAY, "company": "Flash Cab", "pickup_community_area": "8"},
    )
    assert rows(filtered) == rows(ask(client, where=where)) != []


def test_counts_and_bounds_are_those_of_the_rows(client: FlaskClient) -> None:
    asked = "count(*), count(pickup_community_area) as known, min(fare), max(fare)"
    [counted] = rows(ask(client, where=DAY, select=asked))
    found = rows(ask(client, where=DAY))
    fares = [float(row["fare"]) for row in found]
    assert counted == {
        "count": str(len(found)),
        "known": str(sum("pickup_community_area" in row for row in found)),
        "min_fare": f"{min(fares):g}",
        "max_fare": f"{max(fares):g}",
    }


def test_the_two_data_sets_meet_at_the_turn_of_2023(client: FlaskClient) -> None:
    bounds = "min(trip_start_timestamp) as a, max(trip_start_timestamp) as z"
    [old] = rows(ask(client, select=bounds))
    [new] = rows(ask(client, f"{NEW}.json", select=bounds))
    assert old["a"].startswith("2013-01-01")
    assert old["z"].startswith("2023-12-31")
    assert new["a"].startswith("2024-01-01")
    assert new["z"].startswith("2026-09-30")
    later = "trip_start_timestamp >= '2024-01-01'"
    assert rows(ask(client, where=later)) == []


def test_a_bound_of_no_rows_is_null(client: FlaskClient) -> None:
    never = "trip_start_timestamp < '2001-01-01'"
    asked = "count(*), max(trip_start_timestamp), max(fare)"
    assert rows(ask(client, where=never, select=asked)) == [{"count": "0"}]


def test_a_query_over_too_many_days_is_refused_as_the_citys_times_out(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxi_duration.simulation.city.MOST_DAYS", 10)
    response = ask(client, order="fare DESC", where="fare > 1")
    assert response.status_code == 400
    assert response.get_json()["errorCode"] == "query.execution.timeout"


@pytest.mark.parametrize(
    ("clauses", "code"),
    [
        ({"select": "colour"}, "query.soql.no-such-column"),
        ({"where": "fare >"}, "query.compiler.malformed"),
        ({"order": "fare upwards"}, "query.compiler.malformed"),
        ({"limit": "-1"}, "query.compiler.malformed"),
        ({"offset": "many"}, "query.compiler.malformed"),
        ({"group": "company"}, "query.compiler.malformed"),
        ({"query": "DELETE"}, "query.compiler.malformed"),
    ],
)
def test_errors_have_the_citys_form(
    client: FlaskClient, clauses: dict[str, str], code: str
) -> None:
    response = ask(client, **clauses)
    body = response.get_json()
    assert response.status_code == 400
    assert body["errorCode"] == code
    assert body["message"].startswith(f"Query coordinator error: {code}; ")
    assert isinstance(body["data"], dict)


def test_an_unknown_data_set_or_path_is_not_found(client: FlaskClient) -> None:
    for path in ("/resource/abcd-1234.json", "/resource/wrvz-psew.xml", "/nowhere"):
        response = client.get(path)
        assert response.status_code == 404
        assert response.get_json()["error"] is True


def test_a_token_is_taken_in_the_header_and_as_a_parameter(client: FlaskClient) -> None:
    asked = f"{OLD}.json?$limit=1&$$app_token=mine"
    assert len(rows(client.get(asked, headers={"X-App-Token": "mine"}))) == 1


def test_metadata_lists_the_columns(client: FlaskClient) -> None:
    for path in ("/api/views/wrvz-psew.json", "/api/views/ajtu-isnz"):
        body = client.get(path).get_json()
        assert {
            column["fieldName"]: column["dataTypeName"] for column in body["columns"]
        } == COLUMNS


def post(client: FlaskClient, body: object, form: str = "query.json") -> TestResponse:
    return client.post(
        f"/api/v3/views/wrvz-psew/{form}", json=body, headers={"X-App-Token": "mine"}
    )


def test_soda_3_needs_a_token(client: FlaskClient) -> None:
    response = client.post("/api/v3/views/wrvz-psew/query.json", json={"query": "SELECT *"})
    assert response.status_code == 403
    assert response.get_json()["code"] == "permission_denied"


def test_soda_3_gives_pages(client: FlaskClient) -> None:
    query = f"SELECT trip_id, fare WHERE {DAY} ORDER BY trip_id"
    whole = rows(post(client, {"query": query, "includeSynthetic": False}))
    pages = [
        row
        for number in (1, 2, 3)
        for row in rows(
            post(client, {
                "query": query, "includeSynthetic": False,
                "page": {"pageNumber": number, "pageSize": 50},
            })
        )
    ]  # fmt: skip
    assert pages == whole[:150]
    assert len(whole) > 250
    assert list(whole[0]) == ["trip_id", "fare"]


def test_soda_3_adds_the_rows_id_unless_told_not_to(client: FlaskClient) -> None:
    [row] = rows(post(client, {"query": "SELECT trip_id LIMIT 1"}))
    assert list(row) == [":id", "trip_id"]
    [counted] = rows(post(client, {"query": f"SELECT count(*) WHERE {DAY}"}))
    assert list(counted) == ["count"]


def test_soda_3_exports_csv_as_soda_2_gives_it(client: FlaskClient) -> None:
    exported = post(client, {"query": f"SELECT * WHERE {DAY} ORDER BY trip_id"}, "export.csv")
    assert exported.text == ask(client, f"{OLD}.csv", where=DAY, order="trip_id").text


@pytest.mark.parametrize(
    "body", [["SELECT *"], {"query": 3}, {"query": "SELECT"}, {"page": {"pageNumber": 0}}]
)
def test_soda_3_refuses_what_it_cannot_read(client: FlaskClient, body: object) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert "message" in response.get_json()
