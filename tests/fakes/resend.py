"""A local server that stands for Resend: sends each letter once for its Idempotency-Key."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "re_a_key_of_the_tests"


@dataclass(frozen=True)
class Refusal:
    """An answer instead of a letter sent. `manner`: `close` and `hang` (until `release`) happen
    after the letter was sent: nobody hears of it.
    """

    status: int = 500
    name: str = "application_error"
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "answer"


@dataclass(frozen=True)
class Mail:
    """A letter that reached its readers."""

    id: str
    key: str
    payload: dict[str, Any]


class Resend:
    """`mails`: what was sent. `requests`: the key of each try. `behave(…)`: the next ones."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.requests: list[str] = []
        self.most_at_once = 0
        self.takes_seconds = 0.0
        self._at_once = 0
        self._script: deque[Refusal] = deque()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._known: dict[str, tuple[bytes, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def behave(self, *script: Refusal) -> None:
        self._script.extend(script)

    def release(self) -> None:
        """Let go of those that hang."""
        self._released.set()

    def forget_keys(self) -> None:
        """24 hours have passed."""
        self._known.clear()

    def wait_for(self, mails: int, within_seconds: float = 60) -> None:
        deadline = time.monotonic() + within_seconds
        while len(self.mails) < mails:
            assert time.monotonic() < deadline, f"{len(self.mails)} of {mails} letters came"
            time.sleep(0.02)

    def stop(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextlib.contextmanager
    def _request(self, key: str) -> Iterator[Refusal | None]:
        with self._lock:
            self.requests.append(key)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            found = self._script.popleft() if self._script else None
        time.sleep(self.takes_seconds)
        try:
            yield found
        finally:
            with self._lock:
                self._at_once -= 1

    def _take(self, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Send it, if this key has not sent one. Gives the answer."""
        with self._lock:
            if key in self._known:
                before, mail_id = self._known[key]
                if before != body:
                    return 409, _error(409, "invalid_idempotent_request")
                return 200, {"id": mail_id}
            mail_id = str(uuid.uuid4())
            self._known[key] = (body, mail_id)
            self.mails.append(Mail(mail_id, key, json.loads(body)))
            return 200, {"id": mail_id}


@contextlib.contextmanager
def running_resend() -> Iterator[Resend]:
    resend = Resend()
    yield resend
    resend.stop()


def _error(status: int, name: str) -> dict[str, Any]:
    return {"statusCode": status, "name": name, "message": f"No letter for {KEY}: {name}."}


def _handler(resend: Resend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Idempotency-Key"]
            with resend._request(key) as refusal:
                if self.path != "/emails":
                    self._answer(404, _error(404, "not_found"))
                elif self.headers["Authorization"] != f"Bearer {KEY}":
                    self._answer(403, _error(403, "invalid_api_key"))
                elif refusal and refusal.manner == "answer":
                    said = _error(refusal.status, refusal.name)
                    self._answer(refusal.status, said, refusal.headers)
                else:
                    answer = resend._take(key, body)
                    if refusal and refusal.manner == "hang":
                        resend._released.wait(60)
                    elif not refusal:
                        self._answer(*answer)

        def _answer(
            self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
        ) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"ratelimit-limit": "5", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler
