"""Mage's manners, as a small server shows them: errors with status 200, restarts, odd answers."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread, Timer
from typing import Any

import pytest

from mage_parts import free_port
from taxi_duration.errors import MageUnreachableError, PipelineError
from taxi_duration.pipeline.mage_api import BlockRun, MageApi, Run

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that gives these answers, of which the last stays; its address."""
    with ExitStack() as servers:

        def start(*answers: object, port: int = 0) -> str:
            bodies = [a if isinstance(a, bytes) else json.dumps(a).encode() for a in answers]

            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(bodies[0] if len(bodies) == 1 else bodies.pop(0))

                def do_POST(self) -> None:
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.do_GET()

                def log_message(self, *_: object) -> None:
                    pass

            server = servers.enter_context(ThreadingHTTPServer(("127.0.0.1", port), Handler))
            Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            servers.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def test_an_error_with_status_200_is_an_error(serve: Serve) -> None:
    url = serve({"error": {"code": 404, "message": "Email/username and/or password invalid."}})
    with MageApi(url) as mage, pytest.raises(PipelineError, match="password invalid"):
        mage.sign_in("owner@example.com", "wrong")


def test_the_exception_inside_mage_is_told(serve: Serve) -> None:
    url = serve({"error": {"code": 500, "exception": "Invalid token", "message": "Traceback"}})
    with MageApi(url) as mage, pytest.raises(PipelineError, match=r"GET pipeline_runs/7: Invalid"):
        mage.run(7)


def test_a_postgres_that_is_away_is_told_in_one_line_with_a_remedy(serve: Serve) -> None:
    said = (
        '(psycopg2.OperationalError) connection to server at "127.0.0.1", port 5432 failed:'
        " Connection refused\n\tIs the server running on that host and accepting TCP/IP"
        " connections?\n\n(Background on this error at: https://sqlalche.me/e/21/e3q8)"
    )
    url = serve({"error": {"code": 500, "exception": said, "message": "Traceback"}})
    with MageApi(url) as mage, pytest.raises(MageUnreachableError) as raised:
        mage.sign_in("owner@example.com", "right")
    assert str(raised.value) == (
        "Mage refused POST sessions: (psycopg2.OperationalError) connection to server at"
        ' "127.0.0.1", port 5432 failed: Connection refused.'
        " Mage keeps its runs in Postgres: see whether that runs: `taxi status`."
    )


def test_a_server_that_is_not_mage_is_noticed(serve: Serve) -> None:
    with (
        MageApi(serve(b"<html>")) as mage,
        pytest.raises(PipelineError, match=r"not as Mage does. TAXI_MAGE_URL"),
    ):
        mage.sign_in("owner@example.com", "right")


def test_where_nobody_listens_the_remedy_is_told_at_once() -> None:
    started = time.monotonic()
    with (
        MageApi(f"http://127.0.0.1:{free_port()}") as mage,
        pytest.raises(MageUnreachableError, match=r"cannot be reached: .*`make run` or `taxi up`"),
    ):
        mage.sign_in("owner@example.com", "right")
    assert time.monotonic() - started < 5


@pytest.mark.slow
def test_a_run_is_followed_across_a_restart(serve: Serve) -> None:
    port = free_port()
    answer = {"pipeline_run": {"id": 7, "status": "running", "block_runs": []}}
    Timer(0.5, serve, args=(answer,), kwargs={"port": port}).start()
    with MageApi(f"http://127.0.0.1:{port}", patience_seconds=20) as mage:
        assert mage.run(7) == Run(id=7, status="running")


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        "(psycopg2.OperationalError) server closed the connection unexpectedly",
        "(psycopg2.errors.AdminShutdown) terminating connection due to administrator command",
        "(psycopg2.errors.CrashShutdown) terminating connection because of crash of another one",
        "(psycopg2.InterfaceError) connection already closed",
    ],
)
def test_a_run_is_followed_across_a_restart_of_its_postgres(serve: Serve, said: str) -> None:
    away = {"error": {"code": 500, "exception": said, "message": "Traceback"}}
    back = {"pipeline_run": {"id": 7, "status": "running", "block_runs": []}}
    with MageApi(serve(away, back), patience_seconds=20) as mage:
        assert mage.run(7) == Run(id=7, status="running")


@pytest.mark.slow
def test_a_mage_that_stays_away_ends_the_patience() -> None:
    with (
        MageApi(f"http://127.0.0.1:{free_port()}", patience_seconds=1) as mage,
        pytest.raises(MageUnreachableError),
    ):
        mage.run(7)


def test_a_pipeline_without_the_trigger_is_told(serve: Serve) -> None:
    url = serve({"pipeline_schedules": [{"id": 1, "name": "monthly"}]})
    with MageApi(url) as mage, pytest.raises(PipelineError, match="no trigger 'api'"):
        mage.trigger({}, "token")


BLOCK: dict[str, Any] = {
    "id": 1,
    "block_uuid": "load_trips",
    "status": "completed",
    "started_at": "2026-11-22 02:12:55.130705+00:00",
    "completed_at": "2026-11-22 02:13:05.630705+00:00",
}


def test_the_seconds_of_a_block_come_from_its_times(serve: Serve) -> None:
    run = {"pipeline_run": {"id": 7, "status": "completed", "block_runs": [BLOCK]}}
    with MageApi(serve(run)) as mage:
        [block] = mage.run(7).block_runs
    assert block.seconds == 10.5


def test_a_block_that_did_not_end_has_no_seconds() -> None:
    assert BlockRun(id=1, block_uuid="load_trips", status="failed").seconds is None


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], {}),
        ([{"sample_data": None}], {}),
        (
            [{"sample_data": {"columns": ["a", "b"], "rows": [[1, {"c": 2}]]}}],
            {"a": 1, "b": {"c": 2}},
        ),
    ],
)
def test_what_a_block_handed_on_is_read(
    serve: Serve, outputs: list[Any], expected: dict[str, Any]
) -> None:
    with MageApi(serve({"outputs": outputs})) as mage:
        assert mage.output(BlockRun(id=1, block_uuid="x", status="completed")) == expected


def test_the_log_of_a_block_is_read_line_by_line(serve: Serve) -> None:
    content = (
        '2026-11-22T02:12:55 {"level": "INFO", "message": "one {two}"}\n'
        "Traceback (most recent call last):\n"
        "  raise ValueError({'a': 1})\n"
        '2026-11-22T02:12:56 {"level": "ERROR", "message": "x"}\n'
    )
    url = serve({"logs": [{"block_run_logs": [{"content": content}]}]})
    with MageApi(url) as mage:
        records = mage.log(Run(7, "failed"), BlockRun(1, "load_trips", "failed"))
    assert [record["message"] for record in records] == ["one {two}", "x"]


def test_the_latest_run_that_has_not_ended_is_found(serve: Serve) -> None:
    states = {1: "completed", 2: "running", 3: "initial", 4: "failed"}
    rows = [{"id": number, "status": state} for number, state in states.items()]
    with MageApi(serve({"pipeline_runs": rows})) as mage:
        assert mage.unfinished() == 3
    with MageApi(serve({"pipeline_runs": rows[:1]})) as mage:
        assert mage.unfinished() is None
