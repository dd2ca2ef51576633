"""Many open HTTP connections from one thread: requests are sent, answers read as they come."""

from __future__ import annotations

import contextlib
import http.client
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

TIMEOUT_SECONDS = 10.0


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str], data: object = None
) -> tuple[int, bytes]:
    """One request on a connection of its own. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        body = None if data is None else json.dumps(data)
        sent = {"Content-Type": "application/json", **headers} if body else dict(headers)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def start_chat(port: int, site: str, address: str) -> tuple[str, dict[str, str]]:
    """The path of a new chat's messages, and the headers to ask it with. Raises OSError."""
    headers = {"X-Forwarded-For": address}
    status, body = ask(port, "POST", f"/widget/{site}/sessions", headers, {})
    if status != 201:
        raise OSError(f"a chat was answered with {status}")
    started: dict[str, Any] = json.loads(body)
    path = f"/widget/sessions/{started['session_id']}/messages"
    return path, {**headers, "Authorization": f"Bearer {started['token']}"}


def raw(method: str, path: str, headers: Mapping[str, str], data: object = None) -> bytes:
    """A whole request as bytes; its connection ends with the answer."""
    body = b"" if data is None else json.dumps(data).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if data is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Crowd:
    """Connections that are all open at once."""

    def __init__(self, port: int, heard: Callable[[int], None]) -> None:
        """`heard` is told the status of each answer, 0 where there was none."""
        self._port, self._heard = port, heard
        self._selector = selectors.DefaultSelector()
        self._is_answered: dict[socket.socket, bool] = {}

    def __len__(self) -> int:
        return len(self._is_answered)

    def send(self, request: bytes) -> None:
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
            connection.sendall(request)
        except OSError:
            self._heard(0)
            return
        connection.setblocking(False)
        self._is_answered[connection] = False
        self._selector.register(connection, selectors.EVENT_READ)

    def listen(self, stop: threading.Event, seconds: float) -> None:
        """Until all have ended, the time is over, or `stop`."""
        ends_at = time.monotonic() + seconds
        while self._is_answered and not stop.is_set() and time.monotonic() < ends_at:
            for key, _ in self._selector.select(0.25):
                self._read(key.fileobj)  # type: ignore[arg-type]

    def close(self) -> None:
        for connection in list(self._is_answered):
            self._end(connection)
        self._selector.close()

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if data and not self._is_answered[connection]:
            self._is_answered[connection] = True
            self._heard(int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/") else 0)
        if not data:
            self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        if not self._is_answered.pop(connection):
            self._heard(0)
        self._selector.unregister(connection)
        with contextlib.suppress(OSError):
            connection.close()
