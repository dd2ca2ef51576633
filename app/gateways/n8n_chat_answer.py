"""What N8n's chat answers, read as it comes: one JSON document, or a line of JSON for each piece.

A stream is several rounds of `begin`, `item`s and `end`, one for each time the agent speaks
between its tools; only the end of the connection is its end. Failures come under status 200.
"""

from __future__ import annotations

import json
from typing import Any

from app.gateways.n8n_chat_words import Answered, NoAnswerError, Words, data_in, may_be_data
from app.gateways.thinking import WithoutThinking
from app.gateways.whole_signs import WholeSigns

#: Between the words of two rounds.
ROUND_BREAK = "\n\n"


class Reading:
    """An answer of which more and more is known. Raises NoAnswerError as soon as it is none."""

    def __init__(self) -> None:
        self._words = Words()
        self._rest = bytearray()
        self._is_stream: bool | None = None
        self._said = ""
        #: Of a round: whether it was begun, what of it may be data, whether it is known not to be.
        self._is_within = False
        self._held = ""
        self._is_free = False
        self._is_new = True
        self._signs = WholeSigns()
        self._thinking = WithoutThinking()

    @property
    def has_words(self) -> bool:
        return bool(self._said)

    def take(self, chunk: bytes) -> str:
        """The words that can be shown now."""
        self._rest += chunk
        if self._is_stream is False or b"\n" not in chunk:
            return ""
        *lines, self._rest = self._rest.split(b"\n")
        shown = ""
        for at, line in enumerate(lines):
            if self._is_stream is None and line.strip():
                self._is_stream = _event(line) is not None
            if self._is_stream is False:
                self._rest = bytearray(b"\n").join([*lines[at:], self._rest])
                break
            shown += self._take_line(line)
        return shown

    def finish(self) -> tuple[str, Answered]:
        """The words that were not shown yet, and the whole. The connection has ended well."""
        if self._is_stream or _event(self._rest) is not None:
            shown = self._take_line(self._rest)
            if self._is_within:
                raise NoAnswerError("cut_off", "no end")
            shown += self._end_round()
        else:
            shown = self._show(self._words.of_body(self._rest))
        if not self._said.strip():
            raise NoAnswerError("empty")
        return shown, Answered(self._said, self._words.lead, self._words.asks_for)

    def _take_line(self, line: bytearray) -> str:
        if not line.strip():
            return ""
        event = _event(line)
        if event is None:
            raise NoAnswerError("not_for_people", "no event")
        match event["type"]:
            case "error":
                raise NoAnswerError("broken", "error line")
            case "item":
                return self._take_item(event.get("content"))
            case "begin" | "end" as kind:
                self._is_within = kind == "begin"
                return self._end_round()
        return ""

    def _take_item(self, content: Any) -> str:
        if not isinstance(content, str):  # a node's whole answer
            content = "" if content is None else json.dumps(content)
        content = self._thinking.hear(self._signs.of(content))
        if self._is_free:
            return self._show(content)
        self._held += content
        if may_be_data(self._held):
            return ""
        held, self._held, self._is_free = self._held, "", True
        return self._show(held)

    def _end_round(self) -> str:
        held, self._held = self._held + self._thinking.finish(), ""
        self._signs, self._thinking = WholeSigns(), WithoutThinking()
        data = data_in(held)
        shown = self._show(held if data is None else self._words.of(data))
        self._is_free, self._is_new = False, True
        return shown

    def _show(self, words: str) -> str:
        if self._is_new:
            words = words.lstrip()
            if not words:
                return ""
            if self._said:
                words = ROUND_BREAK + words
            self._is_new = False
        self._said += words
        return words


def _event(line: bytearray) -> dict[str, Any] | None:
    """A line of a stream: it says of which kind it is, and holds no answer of its own."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    return None if value.keys() & {"output", "text", "message"} else value
