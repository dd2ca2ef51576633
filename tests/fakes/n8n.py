"""A local server that stands for N8n: behaves as it is told, and remembers everything it got."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

from standardwebhooks.webhooks import Webhook

from app.core import clock

OK = b'{"message":"Workflow was started"}'


@dataclass(frozen=True)
class Behaviour:
    """One answer. `manner`: a whole `answer`, or something no good server does.

    `garbage`: bytes that are no HTTP · `hang`: nothing until `release` · `close`: no answer ·
    `half`: closes in the middle of the body · `drip`: a header byte every 0.2 s, without end ·
    `endless`: a body without end.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = OK
    manner: str = "answer"


@dataclass(frozen=True)
class Received:
    at: datetime
    path: str
    headers: dict[str, str]
    body: bytes
    is_verified: bool

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


class N8n:
    """`behave(…)` scripts the next answers; after those it answers 200, or what `otherwise` says.

    `secret`: every signature is checked with the standardwebhooks package. `takes_seconds`: how
    long an answer takes. `most_at_once`: how many requests it ever held at the same time.
    """

    def __init__(self, secret: str = "", port: int = 0) -> None:
        self.secret = secret
        self.takes_seconds = 0.0
        self.otherwise = Behaviour()
        self.received: list[Received] = []
        self.most_at_once = 0
        self._at_once = 0
        self._script: deque[Behaviour] = deque()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/webhook/leads"
        self._listen()

    def behave(self, *script: int | str | Behaviour) -> None:
        self._script.extend(_behaviour(item) for item in script)

    def always(self, behaviour: int | str | Behaviour) -> None:
        self._script.clear()
        self.otherwise = _behaviour(behaviour)

    @property
    def ids(self) -> list[str]:
        return [request.webhook_id for request in self.received]

    def count(self) -> int:
        """Distinct deliveries."""
        return len(set(self.ids))

    def release(self) -> None:
        """Let go of those that hang."""
        self._released.set()

    def refuse(self) -> None:
        """Nobody listens any more, until `listen`."""
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def listen(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self._listen()

    def wait_for(self, count: int, within_seconds: float = 60) -> None:
        """Until this many requests have come."""
        deadline = time.monotonic() + within_seconds
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} requests came"
            time.sleep(0.02)

    def _listen(self) -> None:
        self._released.clear()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _begin(self, path: str, headers: dict[str, str], body: bytes) -> Behaviour:
        verified = bool(self.secret) and self._is_signed(headers, body)
        with self._lock:
            self.received.append(Received(clock.now(), path, headers, body, verified))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            behaviour = self._script.popleft() if self._script else self.otherwise
        time.sleep(self.takes_seconds)
        return behaviour

    def _end(self) -> None:
        with self._lock:
            self._at_once -= 1

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        try:
            Webhook(self.secret).verify(body, headers)
        except Exception:
            return False
        return True


@contextlib.contextmanager
def running_n8n(secret: str = "") -> Iterator[N8n]:
    n8n = N8n(secret)
    # The package compares with the real time; the tests' clock may be moved.
    with patch("standardwebhooks.webhooks.datetime", _OurClock):
        yield n8n
    n8n.refuse()


class _OurClock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return clock.now().astimezone(tz)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


def _behaviour(item: int | str | Behaviour) -> Behaviour:
    if isinstance(item, Behaviour):
        return item
    if isinstance(item, str):
        return Behaviour(manner=item)
    headers = {"Location": "/elsewhere"} if 300 <= item < 400 else {}
    return Behaviour(item, headers, b"" if item < 300 else f"status {item}".encode())


def _handler(n8n: N8n) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            behaviour = n8n._begin(self.path, headers, body)
            try:
                getattr(self, f"_{behaviour.manner}")(behaviour)
            except OSError:
                pass  # the client has gone
            finally:
                n8n._end()

        def do_GET(self) -> None:
            raise AssertionError("a redirect was followed")

        def _answer(self, behaviour: Behaviour) -> None:
            self.send_response(behaviour.status)
            for name, value in behaviour.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(behaviour.body)))
            self.end_headers()
            self.wfile.write(behaviour.body)

        def _garbage(self, _behaviour: Behaviour) -> None:
            self.wfile.write(b"\x00\xff\xfe\x16\x03 nothing of HTTP \r\n\r\n")

        def _close(self, _behaviour: Behaviour) -> None:
            self.connection.shutdown(socket.SHUT_RDWR)

        def _half(self, behaviour: Behaviour) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(behaviour.body) * 2))
            self.end_headers()
            self.wfile.write(behaviour.body)

        def _hang(self, _behaviour: Behaviour) -> None:
            n8n._released.wait(60)

        def _drip(self, _behaviour: Behaviour) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not n8n._released.wait(0.2):
                self.wfile.write(b"a")

        def _endless(self, _behaviour: Behaviour) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not n8n._released.is_set():
                self.wfile.write(b"a" * 8192)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler
