"""The words in what N8n's chat answers, whatever they are wrapped in, and what else is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.gateways.thinking import without_thinking

NoAnswerKind = Literal[
    "too_slow",
    "too_long",
    "too_big",
    "unreachable",
    "refused",
    "missing",
    "busy",
    "broken",
    "cut_off",
    "empty",
    "not_for_people",
]
#: Where an answer stands, the first that is there.
_PLACES = ("output", "text", "message")
_FENCE = "```"
_FENCE_LABEL = re.compile(r"\w*+\s*+")
#: How deep it may be wrapped: `[{"output": "{\"output\": {\"text\": …`.
_MOST_LAYERS = 10


class NoAnswerError(Exception):
    """N8n gave nothing a visitor could be told. `detail`: a status code, or words of our own."""

    def __init__(self, kind: NoAnswerKind, detail: str = "") -> None:
        super().__init__(f"{kind} {detail}".rstrip())
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer. `lead`: values by field, as a structured answer gives them, unchecked;
    `asks_for`: the field it asks the visitor for.
    """

    text: str
    lead: Mapping[str, object] = field(default_factory=dict)
    asks_for: str | None = None


class Words:
    """Reads answers, and keeps what they tell beside their words. Raises NoAnswerError."""

    def __init__(self) -> None:
        self.lead: dict[str, object] = {}
        self.asks_for: str | None = None

    def of_body(self, body: bytes | bytearray) -> str:
        """A whole answer that is one JSON document."""
        if not body.strip():
            raise NoAnswerError("empty")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise NoAnswerError("not_for_people", "not JSON") from None
        if not isinstance(value, dict | list):
            raise NoAnswerError("not_for_people", "not an object")
        return self.of(value)

    def of(self, value: Any, layers: int = _MOST_LAYERS) -> str:
        """The words in a JSON value; none where it has none."""
        if layers == 0:
            raise NoAnswerError("not_for_people", "wrapped too deep")
        if value is None:
            return ""
        if isinstance(value, str):
            value = without_thinking(value)
            data = data_in(value)
            return _for_people(value) if data is None else self.of(data, layers - 1)
        if isinstance(value, list):
            # Blocks of one text, else answers of several items: the first counts.
            parts = value if all(map(_is_text_block, value)) else value[:1]
            return "".join(self.of(part, layers - 1) for part in parts)
        if not isinstance(value, dict):
            raise NoAnswerError("not_for_people", "no text")
        return self._of_object(value, layers)

    def _of_object(self, value: dict[str, Any], layers: int) -> str:
        lead, asks_for = value.get("lead"), value.get("asks_for")
        if isinstance(lead, dict):
            self.lead |= lead
        if isinstance(asks_for, str) and asks_for.strip():
            self.asks_for = asks_for.strip()
        place = next((name for name in _PLACES if value.get(name) is not None), None)
        if place in (None, "message"):
            _refuse_failures(value)
        if place is None:
            if value.keys() <= {*_PLACES, "lead", "asks_for"}:
                return ""
            raise NoAnswerError("not_for_people", "no text")
        return self.of(value[place], layers - 1)


def may_be_data(beginning: str) -> bool:
    """Whether a text that begins like this may turn out to be JSON."""
    text = beginning.lstrip()
    return not text or text[0] in "{[" or _FENCE.startswith(text[: len(_FENCE)])


def data_in(text: str) -> dict[str, Any] | list[Any] | None:
    """The JSON object or array that is the whole text, if need be in a fence of markdown."""
    text = text.strip()
    if len(text) >= 2 * len(_FENCE) and text.startswith(_FENCE) and text.endswith(_FENCE):
        text = text.removeprefix(_FENCE).removesuffix(_FENCE)
        text = _FENCE_LABEL.sub("", text, count=1).rstrip()
    if not text.startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def spoken(text: str) -> str:
    """The words of an answer as an agent remembers it: with an output parser that is JSON, and
    what its model thought beforehand may stand before it.
    """
    text = without_thinking(text)
    data = data_in(text)
    if not isinstance(data, dict) or not data.keys() & {"output", "lead", "asks_for"}:
        return text
    try:
        return Words().of(data).strip() or text
    except NoAnswerError:
        return text


def _is_text_block(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "text"


def _refuse_failures(value: dict[str, Any]) -> None:
    """What N8n answers when a workflow is not there, failed, or is not waited for."""
    code = value.get("code")
    if isinstance(code, int):
        raise NoAnswerError("missing" if code == 404 else "broken", f"code {code}")
    if value.get("error") or value.get("errorMessage"):
        raise NoAnswerError("broken", "an error")
    if "executionStarted" in value:
        raise NoAnswerError("not_for_people", "not waited for")


def _for_people(words: str) -> str:
    lowered = words.strip().lower().rstrip(".!")
    if lowered == "error in workflow":
        raise NoAnswerError("broken", "error in workflow")
    if lowered == "workflow was started":
        raise NoAnswerError("not_for_people", "not waited for")
    return words
