"""The table of pages answers as Flask would, and leaves no garbage behind."""

import gc
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request, send_file, url_for
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from duration_service.champion import EXTENSION, ModelHolder
from duration_service.routing import TableRoutedFlask
from taxi_duration.model.duration_model import DurationModel

REQUESTS = 200


def with_pages(app: Flask) -> Flask:
    """Pages at fixed paths and at those with parts that vary."""

    @app.get("/fixed")
    def fixed() -> Response:
        return Response(f"{request.endpoint} {request.view_args} {url_for('named', name='x')}")

    @app.post("/fixed")
    def posted() -> Response:
        return Response(request.get_data())

    @app.get("/folder/")
    def folder() -> Response:
        return Response(url_for("fixed", _external=True))

    @app.get("/named/<name>")
    def named(name: str) -> Response:
        return Response(name)

    @app.get("/fixed")
    def second() -> Response:
        return Response("the first of two")

    app.add_url_rule("/gone", endpoint="gone", redirect_to="/fixed")
    app.add_url_rule("/only-built", endpoint="fixed", build_only=True)
    app.add_url_rule("/old", endpoint="fixed", alias=True)
    app.add_url_rule("/one", endpoint="named", defaults={"name": "one"})
    app.get("/named/known")(lambda: Response("the rule without a part comes first"))
    return app


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "get"])
@pytest.mark.parametrize(
    "path",
    [
        *("/fixed", "/fixed/", "/fixed?a=1", "//fixed", "/%66ixed", "/fixed%3F"),
        *("/folder", "/folder/", "/gone", "/old", "/one", "/only-built", "/nowhere", "/"),
        *("/named/known", "/named/one", "/named/other", "/named/%66ixed"),
    ],
)
def test_every_request_is_answered_as_by_flask(method: str, path: str) -> None:
    answers = []
    for kind in (TableRoutedFlask, Flask):
        client = with_pages(kind("pages")).test_client()
        answer = client.open(path, method=method, data=b"x" if method == "POST" else None)
        answers.append(told(answer))
    assert answers[0] == answers[1]


def told(answer: TestResponse) -> tuple[object, ...]:
    """All that is answered; where it leads to another page, to which one on this host."""
    if there := answer.headers.get("Location"):
        return answer.status, there.removeprefix("http://localhost")
    return answer.status, answer.data, sorted(answer.headers)


@pytest.mark.parametrize(
    ("path", "there"), [("/folder?a=%2F", "/folder/?a=%2F"), ("/old", "/fixed")]
)
def test_a_page_that_is_elsewhere_is_named_by_its_path(path: str, there: str) -> None:
    client = with_pages(TableRoutedFlask("pages")).test_client()
    answer = client.get(path, headers={"Host": "taxi.example"})
    assert answer.headers["Location"] == there


@pytest.mark.parametrize("host", ["localhost:9696", "a b", "", "[::1]"])
def test_an_odd_host_is_no_concern_of_a_page_that_does_not_ask_for_it(host: str) -> None:
    client = with_pages(TableRoutedFlask("pages")).test_client()
    assert client.get("/fixed", headers={"Host": host}).status_code == 200


def test_hosts_that_are_not_trusted_are_refused_as_by_flask() -> None:
    app = with_pages(TableRoutedFlask("pages"))
    app.config["TRUSTED_HOSTS"] = ["taxi.example"]
    client = app.test_client()
    assert client.get("/fixed", headers={"Host": "taxi.example"}).status_code == 200
    assert client.get("/fixed", headers={"Host": "other.example"}).status_code == 400


def test_a_prediction_leaves_nothing_for_the_collector_of_garbage(
    app: Flask, trained: Path
) -> None:
    # Loaded, as one that serves is; LightGBM's own answers leave some.
    holder: ModelHolder = app.extensions[EXTENSION]
    holder.served = replace(holder.serving(), model=DurationModel.load(trained))
    trip = {"pickup_community_area": 8, "dropoff_community_area": 32}
    environ = EnvironBuilder("/predict", method="POST", json=trip).get_environ()
    assert b"minutes" in predicted(app, environ)
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            assert predicted(app, environ)
        # Fewer than requests: each of them leaves none.
        assert gc.collect() < REQUESTS
    finally:
        gc.enable()


def predicted(app: Flask, environ: dict[str, Any]) -> bytes:
    """The answer to a request that is asked again, without a test client, which leaves some."""
    environ["wsgi.input"].seek(0)
    return b"".join(run_wsgi_app(app.wsgi_app, dict(environ))[0])


@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Range"])
@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2020 00:00:00 +99999999999999999999",
    ],
)
def test_a_date_of_any_size_gets_the_whole_file(header: str, date: str) -> None:
    app = TableRoutedFlask(__name__)

    @app.get("/file")
    def file() -> Response:
        return send_file(BytesIO(b"all of it"), download_name="file", last_modified=1)

    asked = {header: date} | ({"Range": "bytes=0-2"} if header == "If-Range" else {})
    answer = app.test_client().get("/file", headers=asked)
    assert (answer.status_code, answer.data) == (200, b"all of it")
