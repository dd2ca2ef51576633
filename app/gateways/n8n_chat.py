"""N8n's Chat Trigger, or a Webhook node that speaks like it: a visitor's words in, an answer out.

Shapes as @n8n/n8n-nodes-langchain 2.41 and @n8n/chat 1.37 use them, without streaming.
"""

from __future__ import annotations

import json
from typing import Any

from app.core import http

CONNECT_SECONDS = 5.0
MOST_BYTES = 512 * 1024
#: What a Webhook node says that does not wait for its workflow: no answer for a visitor.
_STARTED = "Workflow was started"


class NoAnswerError(Exception):
    """N8n gave nothing a visitor could be told. The message says why, in few words."""


def ask(url: str, session_id: str, words: str, timeout_seconds: float) -> str:
    """The answer to a visitor's words. Raises NoAnswerError."""
    body = {
        "action": "sendMessage",
        "sessionId": session_id,
        "chatInput": words,
        "metadata": {},
    }
    try:
        answer = http.send(
            "POST",
            url,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            connect_seconds=min(CONNECT_SECONDS, timeout_seconds),
            total_seconds=timeout_seconds,
            most_bytes=MOST_BYTES,
        )
    except http.OutboundError as error:
        raise NoAnswerError(error.kind) from error
    if not 200 <= answer.status < 300:
        raise NoAnswerError(f"status {answer.status}")
    return _words(answer.body)


def _words(body: bytes) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswerError("not JSON") from None
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        raise NoAnswerError("not an object")
    found = next((value[key] for key in ("output", "text", "message") if _is_given(value, key)), "")
    if isinstance(found, dict):
        found = found.get("text")
    if not isinstance(found, str) or not found.strip() or found.strip() == _STARTED:
        raise NoAnswerError("no text in it")
    return found


def _is_given(value: dict[str, Any], key: str) -> bool:
    return value.get(key) is not None
