"""The parts of Mage's HTTP API that starting and following a run needs."""

import json
import re
from datetime import datetime
from typing import Any, Final, Self

import httpx
import msgspec
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from taxi_duration.errors import MageUnreachableError, PipelineError

PIPELINE: Final = "taxi_duration"
LIVE_PIPELINE: Final = "live_monitoring"
TRIGGER: Final = "api"
# Mage's own web page calls itself this; the same in every installation, and no secret.
CLIENT_KEY: Final = "zkWlN0PkIKSN0C11CfUHUj84OT5XOJ6tDZ6bDRO2"
_UNFINISHED: Final = {"initial", "running"}
# A line of a log file; tracebacks stand between them as they are.
LOGGED: Final = re.compile(r"^\d{4}-\d\d-\d\dT\S+ (\{.*\})$", re.MULTILINE)
START_REMEDY: Final = "Start the stack: `make run` or `taxi up`."
# Mage passes on what is said of a Postgres that is away or ends, with more lines that help nobody.
_AWAY: Final = re.compile(r"\(psycopg2\.(?:OperationalError|InterfaceError|errors\.\w+Shutdown)\)")
_POSTGRES_REMEDY: Final = "Mage keeps its runs in Postgres: see whether that runs: `taxi status`."


class BlockRun(msgspec.Struct, frozen=True):
    """One block of a run; times are UTC."""

    id: int
    block_uuid: str
    status: str
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long it ran; None where it did not run to its end."""
        if not self.started_at or not self.completed_at:
            return None
        return (self.completed_at - self.started_at).total_seconds()


class Run(msgspec.Struct, frozen=True):
    """One run of the pipeline with the blocks that it has so far."""

    id: int
    status: str
    block_runs: list[BlockRun] = []


class MageApi:
    """One signed-in client; an answer that holds an error raises, whatever its status is."""

    def __init__(
        self, url: str, *, pipeline: str = PIPELINE, patience_seconds: float = 120
    ) -> None:
        self.url = url.rstrip("/")
        self.pipeline = pipeline
        # A Mage that its supervisor starts again goes on with its runs, and so it does where that
        # happens to its Postgres: reading waits for them.
        self._patience = patience_seconds
        self._http = httpx.Client(
            base_url=f"{self.url}/api/", headers={"X-API-KEY": CLIENT_KEY}, timeout=30
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def sign_in(self, email: str, password: str) -> None:
        """Open the session that all further calls use."""
        body = {"session": {"email": email, "password": password}}
        answer = self._call("POST", "sessions", json=body)
        self._http.cookies.set("oauth_token", answer["session"]["token"])

    def trigger(self, variables: dict[str, object], token: str) -> int:
        """Start a run through the API trigger; returns its number."""
        schedules = self._call("GET", f"pipelines/{self.pipeline}/pipeline_schedules")
        numbers = {row["name"]: row["id"] for row in schedules["pipeline_schedules"]}
        if TRIGGER not in numbers:
            raise PipelineError(
                f"{self.pipeline} has no trigger {TRIGGER!r} in Mage.", "Restart Mage."
            )
        answer = self._call(
            "POST",
            f"pipeline_schedules/{numbers[TRIGGER]}/api_trigger",
            json={"pipeline_run": {"variables": variables}},
            headers={"Authorization": f"Bearer {token}"},
        )
        return int(answer["pipeline_run"]["id"])

    def unfinished(self) -> int | None:
        """The number of the latest run that has not ended; None where there is none."""
        query = {"pipeline_uuid": self.pipeline, "_limit": 20}
        rows = self._read("pipeline_runs", params=query)["pipeline_runs"]
        return max((int(row["id"]) for row in rows if row["status"] in _UNFINISHED), default=None)

    def run(self, number: int) -> Run:
        """A run as it is at this moment."""
        return msgspec.convert(self._read(f"pipeline_runs/{number}")["pipeline_run"], Run)

    def output(self, block: BlockRun) -> dict[str, Any]:
        """What a block handed on; empty: nothing."""
        for output in self._read(f"block_runs/{block.id}/outputs")["outputs"]:
            table = output.get("sample_data") or {}
            if table.get("rows"):
                return dict(zip(table["columns"], table["rows"][0], strict=True))
        return {}

    def log(self, run: Run, block: BlockRun) -> list[dict[str, Any]]:
        """What a block logged, oldest first: `level`, `message` and, of a failure, `error`."""
        query = {"pipeline_run_id[]": run.id, "block_run_id[]": block.id}
        found = self._read(f"pipelines/{self.pipeline}/logs", params=query)["logs"]
        files = [file for part in found for file in part["block_run_logs"]]
        return [json.loads(record) for file in files for record in LOGGED.findall(file["content"])]

    def _read(self, path: str, **options: Any) -> dict[str, Any]:
        patiently = Retrying(
            retry=retry_if_exception_type(MageUnreachableError),
            stop=stop_after_delay(self._patience),
            wait=wait_fixed(1),
            reraise=True,
        )
        return patiently(self._call, "GET", path, **options)

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            cause = f"Mage at {self.url} cannot be reached: {error}."
            raise MageUnreachableError(cause, START_REMEDY) from error
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            cause = f"{self.url} answered {response.status_code} to {path}, and not as Mage does."
            raise PipelineError(cause, "TAXI_MAGE_URL names Mage's address.") from error
        if problem := answer.get("error"):
            refused = f"Mage refused {method} {path}: "
            reason = str(problem.get("exception") or problem.get("message"))
            if _AWAY.search(reason):
                raise MageUnreachableError(f"{refused}{reason.splitlines()[0]}.", _POSTGRES_REMEDY)
            raise PipelineError(f"{refused}{reason}")
        return answer
