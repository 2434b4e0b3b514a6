"""For the tests of alarms: a real mail server and a real webhook, on free ports of loopback."""

import json
import os
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from in_thread import serving
from taxi_duration.settings import Settings
from taxi_duration.stack.resolved import as_environment


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over one mail."""

    server: "_MailServer"

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode() if line.split() else ""
            if verb == "EHLO":
                self._say("250-mailbox\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.credentials.append(line.split()[2].decode())
                self._say("235 welcome")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(message_from_bytes(self._body()))
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.mails: list[Message] = []
        self.credentials: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Hook(BaseHTTPRequestHandler):
    server: "_HookServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))
        self.send_response(self.server.failures.pop() if self.server.failures else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _HookServer(HTTPServer):
    def __init__(self, failures: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.posts: list[dict[str, Any]] = []
        self.failures = failures

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret-path"


@contextmanager
def mailbox() -> Iterator[_MailServer]:
    """A mail server; `mails` holds what it took, `credentials` who signed in."""
    with serving(_MailServer()) as server:
        yield server


@contextmanager
def webhook(*failures: int) -> Iterator[_HookServer]:
    """A webhook that answers with these statuses, then with 200; `posts` holds what came."""
    with serving(_HookServer([*reversed(failures)])) as server:
        yield server


def kill_while_it_sends(program: str, settings: Settings) -> None:
    """Run a program with these settings, and kill it where it waits for the webhook's answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        own = {**as_environment(settings), "TAXI_ALARM_WEBHOOK_URL": url}
        sender = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **own})
        try:
            waits, _ = silent.accept()
        finally:
            sender.kill()
            sender.wait()
        waits.close()
