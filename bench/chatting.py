"""A visitor who chats through the widget's JSON, as lean as a client can be."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import Any

DIALOGUE = (
    "Hi, I'm looking for some help",
    "Ann Lee",
    "Kitchen",
    "ann.lee@example.com",
    "020 7946 0958",
    "Thank you!",
)


class Visitor:
    """One connection, kept alive. Not for several threads at once."""

    def __init__(self, port: int, timeout_seconds: float = 60) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)

    def start(self, site: str = "demo") -> tuple[str, str]:
        """Open a session; gives its id and token."""
        answer = self._post(f"/widget/{site}/sessions", {}, {}, expected=201)
        return answer["session_id"], answer["token"]

    def say(self, session: tuple[str, str], text: str, client_id: str | None = None) -> Any:
        session_id, token = session
        return self._post(
            f"/widget/sessions/{session_id}/messages",
            {"client_id": client_id or str(uuid.uuid4()), "text": text},
            {"Authorization": f"Bearer {token}"},
            expected=200,
        )

    def _post(self, path: str, data: object, headers: dict[str, str], expected: int) -> Any:
        self.connection.request(
            "POST", path, json.dumps(data), {"Content-Type": "application/json", **headers}
        )
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{answer.status}: {body[:300]!r}")
        return json.loads(body)
