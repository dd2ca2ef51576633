"""A local server in N8n's place: takes leads, checks each signature, forgets nothing."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + secrets.token_hex(24)


@dataclass(frozen=True, slots=True)
class Taken:
    """One request, as it came."""

    webhook_id: str
    body: str
    is_signed: bool

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """`answers_after_seconds` is how long it keeps a sender waiting for its 200."""

    def __init__(self) -> None:
        self.answers_after_seconds = 0.0
        self.taken: list[Taken] = []
        self.in_flight = 0
        self._changed = threading.Condition()

    def take(self, webhook_id: str, body: str, headers: dict[str, str]) -> None:
        """Keep what came, then wait: in this time the sender is in mid-delivery."""
        taken = Taken(webhook_id, body, _is_signed(body, headers))
        with self._changed:
            self.taken.append(taken)
            self.in_flight += 1
            self._changed.notify_all()
        time.sleep(self.answers_after_seconds)

    def release(self) -> None:
        with self._changed:
            self.in_flight -= 1
            self._changed.notify_all()

    def wait_until_idle(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.in_flight == 0)

    def wait_for_request(self, timeout_seconds: float) -> bool:
        """Until a sender is in mid-delivery."""
        with self._changed:
            return self._changed.wait_for(lambda: self.in_flight > 0, timeout_seconds)


def _is_signed(body: str, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


@contextmanager
def listening(port: int) -> Iterator[Receiver]:
    """A receiver on this port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                receiver.take(headers["webhook-id"], body, headers)
                with contextlib.suppress(OSError):  # the sender may have been killed meanwhile
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
            finally:
                receiver.release()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
