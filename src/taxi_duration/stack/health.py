"""Asking the parts over HTTP; never through a proxy."""

import http.client
import json
import socket
from typing import Any


def answers(host: str, port: int, path: str) -> bool:
    """Whether `GET http://host:port/path` answers 2xx within two seconds."""
    try:
        return 200 <= ask(host, port, path, timeout=2)[0] < 300
    except (OSError, http.client.HTTPException):
        return False


def listens(host: str, port: int) -> bool:
    """Whether anything accepts a connection."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def get_json(host: str, port: int, path: str) -> dict[str, Any]:
    """The object that a GET answers with 2xx; empty where it does not."""
    try:
        status, body = ask(host, port, path, timeout=5)
        answer = json.loads(body) if 200 <= status < 300 else {}
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def ask(
    host: str, port: int, path: str, *, body: str | None = None, timeout: float = 30
) -> tuple[int, str]:
    """Status and text of the answer to a GET, or to a POST of JSON where there is a body."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        connection.request("POST" if body else "GET", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()
