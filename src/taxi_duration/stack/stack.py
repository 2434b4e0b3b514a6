"""The embedded stack as a whole: up, down, status."""

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from taxi_duration.errors import StackError
from taxi_duration.settings import STACK_FILE, Settings
from taxi_duration.stack import launch, servers
from taxi_duration.stack.lock import locked
from taxi_duration.stack.part import Part, in_order
from taxi_duration.stack.ports import check_ports
from taxi_duration.stack.postgres import postgres
from taxi_duration.stack.processes import end, leftovers, parts_of
from taxi_duration.stack.resolved import Secrets, adopt, check_whole, make_home, resolve, write
from taxi_duration.stack.seaweedfs import seaweedfs
from taxi_duration.stack.starting import start_parts
from taxi_duration.stack.supervisor import Supervisor

Factory = Callable[[Settings, Secrets], Part]
Show = Callable[[str], None]

PARTS: Final[Mapping[str, Factory]] = MappingProxyType(
    {
        "postgres": postgres,
        "s3": seaweedfs,
        "city-api": servers.city_api,
        "mlflow": servers.mlflow,
        "mage": servers.mage,
        "service": servers.service,
    }
)
BACKENDS: Final = ("postgres", "s3", "mlflow")
_STOPPED: Final = {"STOPPED", "EXITED", "FATAL"}

# What a part inherits from whoever starts the stack; all else would change it from shell to shell.
_INHERITED: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"),
)


class Stack:
    """The parts of one home under one supervisord. As a context manager: up, then down."""

    def __init__(
        self,
        settings: Settings,
        parts: Sequence[str] = tuple(PARTS),
        show: Show = lambda _: None,
        factories: Mapping[str, Factory] = PARTS,
    ) -> None:
        self.home = settings.home.resolve()
        self.supervisor = Supervisor(self.home)
        self._show = show
        self._given = settings.model_copy(update={"home": self.home}), parts, factories
        self._read(Secrets.of(self._given[0]))

    def _read(self, secrets: Secrets) -> None:
        """Settings and parts of the stack as it is now."""
        settings, parts, factories = self._given
        running = self.supervisor.processes()
        self.secrets = secrets
        self.settings = resolve(adopt(settings) if running else settings, secrets)
        self.parts = [
            factories[name](self.settings, secrets)
            for name in parts
            if (name in running if running else name != "city-api" or _simulated(settings))
        ]

    def __enter__(self) -> Settings:
        self.up()
        return self.settings

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> bool:
        """Start what does not run and wait until all is healthy; False where all was already.

        What fails or is interrupted on the way to a first start leaves no process behind. Raises
        PortTakenError before anything is started, and StackError with the end of the log of a part
        that does not become healthy.
        """
        with locked(self.home, self._show):
            kept = Secrets.kept(self.settings)
            if kept and kept != self.secrets:
                # Another command made the stack while this one waited.
                self._read(kept)
            running = self.supervisor.alive()
            try:
                if not running:
                    self._start_supervisor()
                return start_parts(self.supervisor, self.parts, self._show)
            except BaseException:
                if not running:
                    self._end()
                raise

    def down(self) -> None:
        """End every process of the stack, whoever started it; the data stays."""
        if self.home.exists():
            with locked(self.home, self._show):
                self._end()

    def remove(self) -> None:
        """End the stack and remove its home with all data, keys and logs."""
        if not self.home.exists():
            return
        _check_removable(self.home)
        with locked(self.home, self._show):
            self._end()
            shutil.rmtree(self.home)

    def wanted(self) -> bool:
        """Whether the stack was brought up and not yet taken down."""
        return self._intent.exists()

    def heal(self) -> None:
        """Start supervisord and the parts again where supervisord itself was killed."""
        if self.wanted() and not self.supervisor.alive():
            self._show("supervisord was killed: starting the stack again.")
            self.up()

    def status(self) -> dict[str, dict[str, Any]]:
        """Of each part: `state`, `url`, and `pid` or None.

        The states: healthy; starting; unhealthy, which runs but does not answer; stopped; and
        unsupervised, which outlived a supervisord that was killed.
        """
        processes = self.supervisor.processes()
        orphans = {} if processes else parts_of(leftovers(self.home))
        return {
            part.name: _status(part, processes.get(part.name, {}), orphans.get(part.name))
            for part in self.parts
        }

    @property
    def _intent(self) -> Path:
        return self.home / "run" / "up"

    def _start_supervisor(self) -> None:
        check_whole(self.settings)
        make_home(self.home)
        end(leftovers(self.home), grace=10)
        check_ports(self.parts, self.settings.host)
        write(self.settings, self.secrets)
        base = _base_environment()
        for part in self.parts:
            launch.write_spec(part, self.home, base)
        self.supervisor.start(self.parts)
        self._intent.touch()

    def _end(self) -> None:
        self._intent.unlink(missing_ok=True)
        if self.supervisor.alive():
            self._stop_in_order()
        end(leftovers(self.home), grace=10)

    def _stop_in_order(self) -> None:
        """Stop the parts that need others before the ones that they need, then supervisord."""
        for wave in reversed(in_order(self.parts)):
            running = {part.name for part in wave if self._state(part.name) not in {*_STOPPED, ""}}
            for name in running:
                self.supervisor.call("stopProcess", name, False)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and any(
                self._state(name) not in _STOPPED for name in running
            ):
                time.sleep(0.05)
        self.supervisor.call("shutdown")
        while self.supervisor.alive():
            time.sleep(0.05)

    def _state(self, name: str) -> str:
        return str(self.supervisor.processes().get(name, {}).get("statename", ""))


def _status(part: Part, process: Mapping[str, Any], orphan: int | None) -> dict[str, Any]:
    pid = process.get("pid") or orphan
    if orphan:
        state = "unsupervised"
    elif pid and part.healthy():
        state = "healthy"
    elif process.get("statename") in {"STARTING", "BACKOFF"}:
        state = "starting"
    else:
        state = "unhealthy" if pid else "stopped"
    return {"state": state, "url": part.url, "pid": pid}


def _simulated(settings: Settings) -> bool:
    return settings.city_api == "simulated"


def _base_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # The parts talk to each other on this machine, never through a proxy.
    silent = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return kept | silent | {"PYTHONUNBUFFERED": "1"}


def _check_removable(home: Path) -> None:
    """Refuse to remove a folder that is not a stack's, or that holds more than a stack."""
    precious = [Path.home(), Path.cwd(), servers.ROOT]
    names = {path.name for path in home.iterdir()}
    ours = names & {STACK_FILE, "postgres"} or names <= {"logs", "run"}
    if not ours or any(path.is_relative_to(home) for path in precious):
        raise StackError(
            f"{home} is not removed: it is not a folder of the stack alone.",
            "Remove by hand what you no longer want.",
        )
