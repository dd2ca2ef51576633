"""A conversation as a language model is given it, within a budget of tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.models.transcript import Line

_SPEAKERS = {"visitor": "user", "assistant": "assistant", "agent": "assistant"}
_PER_MESSAGE = 6


def tokens_of(text: str) -> int:
    """At most how many tokens a text takes, near enough: models count three to five letters of
    plain English as one, and up to one a sign in other scripts.
    """
    plain = len(text.encode("ascii", "ignore"))
    return -(-plain // 3) + -(-(len(text.encode()) - plain) // 2)


def tokens_of_all(messages: Sequence[Any]) -> int:
    """The same of messages or tools, which are sent as JSON."""
    return sum(
        tokens_of(json.dumps(message, ensure_ascii=False)) + _PER_MESSAGE for message in messages
    )


def history(lines: Sequence[Line], most_tokens: int) -> list[dict[str, str]]:
    """The newest lines that fit, oldest first, the lines of one speaker put together.

    The newest one is always there, cut if need be.
    """
    left = most_tokens
    kept: list[tuple[str, str]] = []
    for line in reversed(lines):
        speaker = _SPEAKERS.get(line.role)
        if speaker is None:
            continue
        cost = tokens_of(line.text) + _PER_MESSAGE
        if cost > left and kept:
            break
        kept.append((speaker, line.text if cost <= left else _cut(line.text, left)))
        left -= cost
    messages: list[dict[str, str]] = []
    for speaker, text in reversed(kept):
        if messages and messages[-1]["role"] == speaker:
            messages[-1]["content"] += f"\n{text}"
        else:
            messages.append({"role": speaker, "content": text})
    return messages


def _cut(text: str, most_tokens: int) -> str:
    while text and tokens_of(text) > most_tokens:
        text = text[: len(text) * 3 // 4]
    return text
