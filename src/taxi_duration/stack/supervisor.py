"""supervisord: its configuration, its life and its XML-RPC interface."""

import hashlib
import http.client
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taxi_duration.errors import StackError
from taxi_duration.stack.launch import spec_path
from taxi_duration.stack.part import Part
from taxi_duration.stack.processes import marks

# A unix socket's path holds 107 characters, and supervisord appends its process number to it.
_LONGEST_SOCKET: Final = 90

# Paths are relative to the home: supervisord expands some of them twice, so that a `%` in the
# home's name could not be written in a way that is right for all.
_MAIN: Final = """\
[supervisord]
umask=077
logfile=logs/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile=run/supervisord.pid
childlogdir=logs
strip_ansi=true

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# A part that ends is started again, however often: what it lacks may come back.
_PROGRAM: Final = """
[program:{name}]
command={command}
autostart=false
autorestart=true
startsecs=1
startretries=1000000
stopsignal={signal}
stopwaitsecs=20
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class Supervisor:
    """The supervisord of one home."""

    home: Path

    @property
    def socket(self) -> Path:
        """Where it listens: in the home, or in a folder of this user's where that path is long."""
        path = self.home / "run" / "supervisor.sock"
        if len(str(path)) <= _LONGEST_SOCKET:
            return path
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"taxi-{os.getuid()}" / f"{name}.sock"

    def call(self, method: str, *arguments: object) -> Any:
        """Call a method of its XML-RPC interface, as supervisor's documentation names them."""
        transport = _UnixTransport(self.socket)
        with xmlrpc.client.ServerProxy("http://supervisord", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.call("getState")["statename"] == "RUNNING")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def processes(self) -> dict[str, dict[str, Any]]:
        """What it says of each part; empty where it does not answer."""
        try:
            return {process["name"]: process for process in self.call("getAllProcessInfo")}
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}

    def start(self, parts: Sequence[Part]) -> None:
        """Start it, with no part running yet, as a daemon that outlives this process."""
        config = self.configure(parts)
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            cwd=self.home,
            env={**os.environ, **marks(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"supervisord does not start: {done.stdout}{done.stderr}".strip())
        deadline = time.monotonic() + 20
        while not self.alive():
            if time.monotonic() > deadline:
                raise StackError(f"supervisord does not answer: see {self.home}/logs.")
            time.sleep(0.05)

    def configure(self, parts: Sequence[Part]) -> Path:
        """Write its configuration, which holds no secret."""
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            raise StackError(f"{self.socket.parent} belongs to another user.", "Remove it.")
        text = _MAIN.format(socket=os.path.relpath(self.socket, self.home))
        for part in parts:
            command = [sys.executable, "-m", "taxi_duration.stack.launch", spec_path(part.name)]
            text += _PROGRAM.format(
                name=part.name,
                command=_in_a_value(shlex.join(command)),
                signal=part.stop_signal,
            )
        config = self.home / "run" / "supervisord.conf"
        config.write_text(text)
        return config


def _in_a_value(command: str) -> str:
    """The command as its configuration reads it, where ` #` and ` ;` begin a comment.

    Either mark stands in single quotes, so that an empty pair of them parts it from the space.
    """
    return re.sub("([#;])", r"''\1", command).replace("%", "%%")


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket; supervisor's own transport never closes its sockets."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """A new connection each time: a call is one request."""
        connection = _UnixConnection(self._path)
        self._connection = host, connection
        return connection


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisord", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
