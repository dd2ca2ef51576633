"""A visitor of the widget without a browser, and one of N8n's own chat."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.n8n.house import House


class WidgetChat:
    """`seen`: (role, text) of every line as the visitor was told it."""

    def __init__(self, house: House, site: str) -> None:
        self._house = house
        opened = house.api("POST", f"/widget/{site}/sessions", {"visitor_id": str(uuid.uuid4())})
        self.session_id: str = opened["session_id"]
        self._token: str = opened["token"]
        self.seen: list[tuple[str, str]] = []
        self.is_completed = False
        self._see(opened)

    def say(self, text: str) -> str:
        """The answer's text."""
        told = self._house.api(
            "POST",
            f"/widget/sessions/{self.session_id}/messages",
            {"client_id": str(uuid.uuid4()), "text": text},
            self._token,
        )
        self._see(told)
        return self.seen[-1][1]

    def _see(self, told: dict[str, Any]) -> None:
        self.seen += [(message["role"], message["text"]) for message in told["messages"]]
        self.input = told["input"]
        self.is_completed = told["completion_status"] == "completed"


class OutsideChat:
    """Somebody who chats with the workflow on another page; we see its memory only."""

    def __init__(self, house: House, path: str) -> None:
        self._house, self._path = house, path
        self.session_id = f"outside-{uuid.uuid4()}"
        self.seen: list[tuple[str, str]] = []

    def say(self, text: str) -> str:
        request = {"action": "sendMessage", "sessionId": self.session_id, "chatInput": text}
        headers = {"Content-Type": "application/json"}
        answer = self._house.n8n.ask("POST", self._path, json.dumps(request).encode(), headers)
        parts = [json.loads(line) for line in answer.body.decode().splitlines() if line.strip()]
        words = "".join(part["content"] for part in parts if part["type"] == "item")
        self.seen += [("visitor", text), ("assistant", words)]
        return words
