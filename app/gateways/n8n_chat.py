"""N8n's Chat Trigger, or a Webhook node that speaks like it: a visitor's words in, an answer out.

Shapes as @n8n/n8n-nodes-langchain 2.41 and @n8n/chat 1.37 use them, streamed or whole.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core import http
from app.gateways.n8n_chat_answer import Reading
from app.gateways.n8n_chat_words import Answered, NoAnswerError, NoAnswerKind

__all__ = ["Answered", "Chat", "NoAnswerError", "ask"]

CONNECT_SECONDS = 5.0
MOST_BYTES = 512 * 1024
_KINDS: dict[str, NoAnswerKind] = {"closed": "cut_off", "garbage": "broken"}
_KIND_OF_STATUS: dict[int, NoAnswerKind] = {
    401: "refused",
    403: "refused",
    404: "missing",
    410: "missing",
    429: "busy",
    503: "busy",
}


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a workflow is asked. `headers` show who we are; `may_reach`: as `core.http` asks it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    may_reach: http.MayReach | None = None


def ask(
    chat: Chat,
    session_id: str,
    words: str,
    metadata: Mapping[str, Any],
    *,
    first_word_at: float,
    whole_at: float,
    most_bytes: int = MOST_BYTES,
) -> Generator[str | Answered]:
    """Yield pieces of the answer as they come, then one Answered. Raises NoAnswerError.

    Both times are of `time.monotonic()`; the first word's holds until there is one. Whoever stops
    listening hangs up.
    """
    body = {
        "action": "sendMessage",
        "sessionId": session_id,
        "chatInput": words,
        "metadata": metadata,
    }
    first_word_at = min(first_word_at, whole_at)
    reading = Reading()
    try:
        with http.stream(
            "POST",
            chat.url,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **chat.headers,
            },
            connect_seconds=CONNECT_SECONDS,
            deadline=first_word_at,
            may_reach=chat.may_reach,
        ) as incoming:
            if not 200 <= incoming.status < 300:
                raise NoAnswerError(_kind_of(incoming.status), f"status {incoming.status}")
            read = 0
            while chunk := incoming.next():
                read += len(chunk)
                if read > most_bytes:
                    raise NoAnswerError("too_big")
                if piece := reading.take(chunk):
                    incoming.hold_until(whole_at)
                    yield piece
        piece, answered = reading.finish()
        if piece:
            yield piece
        yield answered
    except http.OutboundError as error:
        if error.kind == "timeout":
            raise NoAnswerError(_late(reading, first_word_at)) from error
        raise NoAnswerError(_KINDS.get(error.kind, "unreachable"), error.kind) from error


def _late(reading: Reading, first_word_at: float) -> NoAnswerKind:
    if reading.has_words:
        return "too_long"
    # Only connecting has a limit of its own, a shorter one.
    return "too_slow" if time.monotonic() >= first_word_at else "unreachable"


def _kind_of(status: int) -> NoAnswerKind:
    return _KIND_OF_STATUS.get(status, "missing" if 300 <= status < 400 else "broken")
