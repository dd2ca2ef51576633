"""Resend's side of the wire: one e-mail a call, known again by its key.

The vendor's package keeps its settings in globals and has no deadline for a whole answer; one call
is all that is needed. Sources: resend-openapi 1.5.0; the errors' names are listed in its docs.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core import http
from app.core.hostnames import ascii_email

USER_AGENT = "Platform5ive/1"
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Mailer:
    """An account at Resend. `sender`: `a@b.c` or `Name <a@b.c>`, of a domain verified there."""

    url: str
    key: str = field(repr=False)
    sender: str

    def post(self, idempotency_key: str, letter: Mapping[str, Any]) -> http.Answer:
        """Send `{"to": […], "subject", "text", "html"}`. Raises http.OutboundError.

        The same key with the same letter sends no second one for 24 hours: it gets the first
        answer again. With another letter it gets 409.
        """
        addressed = {
            "from": ascii_email(self.sender),
            **letter,
            "to": [ascii_email(each) for each in letter["to"]],
        }
        body = json.dumps(addressed, ensure_ascii=False, separators=(",", ":"))
        return http.send(
            "POST",
            f"{self.url}/emails",
            body=body.encode(),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "Idempotency-Key": idempotency_key,
                "User-Agent": USER_AGENT,
            },
            connect_seconds=CONNECT_SECONDS,
            total_seconds=TOTAL_SECONDS,
        )


def letter_id(answer: http.Answer) -> str | None:
    """What Resend calls the letter it took."""
    return _text(answer, "id")


def error_name(answer: http.Answer) -> str | None:
    """`rate_limit_exceeded`, …; None where Resend itself did not answer."""
    return _text(answer, "name")


def wait_seconds(answer: http.Answer) -> str | None:
    """How long it asks to be left alone, as its header says it."""
    return answer.headers.get("retry-after") or answer.headers.get("ratelimit-reset")


def _text(answer: http.Answer, name: str) -> str | None:
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(answer.body)
        if isinstance(said, dict) and isinstance(value := said.get(name), str):
            return value[:200]
    return None
