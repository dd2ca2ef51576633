"""Rows of N8n's Postgres chat memory: messages as LangChain, in all its versions, writes them.

Forms seen on the wire and in the packages' sources: n8n 2.41.1, agents v1 to v3.1, LangChain in
JavaScript and in Python. `tests/fixtures/n8n_memory_rows.json` holds each with what it means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.gateways.n8n_chat_words import spoken
from app.gateways.n8n_memory_text import Unreadable, content_of, without_tools

__all__ = ["MemoryLine", "Unreadable", "read", "table_name"]

MemoryRole = Literal["visitor", "assistant", "system"]
LONGEST_CHARACTERS = 16_000_000
#: LangChain's class names and types; None: a tool's row, which is no line for people.
_ROLES: Mapping[str, MemoryRole | None] = {
    "human": "visitor",
    "user": "visitor",
    "ai": "assistant",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": None,
    "function": None,
}
_BY_ROLE = frozenset({"generic", "chat"})
_CLASS_NAME = re.compile(r"([A-Za-z]+?)Message(Chunk)?")
_CALLING = re.compile(r"Calling \S.{0,200}? with input: ?(.*)", re.DOTALL)
_TABLE = re.compile(r"[a-z_][a-z0-9_$]{0,62}(\.[a-z_][a-z0-9_$]{0,62})?")


@dataclass(frozen=True, slots=True)
class MemoryLine:
    role: MemoryRole
    text: str


def read(message_json_text: str) -> MemoryLine | None:
    """The line that a row's `message` says; None for a row that is no line for people: a tool's
    answer, a turn that only calls a tool, a message N8n hides, one without words.

    Raises Unreadable, and nothing else.
    """
    kind, body = _kind_and_body(_object(message_json_text))
    role = _role(kind, body)
    if role is None or _is_hidden(body):
        return None
    if "content" not in body and "text" not in body:
        raise Unreadable("It has no content.")
    content = content_of(body.get("content", body.get("text")))
    if role == "visitor":
        words = content.text or content.stand_in
        return MemoryLine(role, words) if words else None
    text = content.text
    if role == "assistant":
        text = spoken(without_tools(text))
        if _only_calls_tool(text, is_call=content.calls_tool or _has_tool_calls(body)):
            return None
    return MemoryLine(role, text) if text else None


def table_name(typed: str) -> str:
    """The table N8n means by this name, in lower case, as it makes it: `table` or `schema.table`.

    Raises ValueError with a plain sentence. `public` is left out, so that one table has one name.
    """
    name = typed.strip().lower()
    if not _TABLE.fullmatch(name):
        raise ValueError(
            "A table's name has letters, digits and _, with its schema before a dot if need be, "
            "like n8n_chat_histories or n8n.chat_histories."
        )
    return name.removeprefix("public.")


def _object(text: str) -> Mapping[str, Any]:
    if len(text) > LONGEST_CHARACTERS:
        raise Unreadable("It is larger than 16 MB.")
    try:
        value = json.loads(text)
        if isinstance(value, str):  # some writers put the JSON into a JSON string
            value = json.loads(value)
    except (ValueError, RecursionError):
        raise Unreadable("It is not JSON that can be read.") from None
    if not isinstance(value, dict):
        raise Unreadable("It is not a message: it holds no type and content.")
    return value


def _kind_and_body(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The message's type, and where its content stands: beside it, in `data` or in `kwargs`."""
    if "lc" in value or value.get("type") == "constructor":
        path, body = value.get("id"), value.get("kwargs")
        name = path[-1] if isinstance(path, list) and path else None
        if not isinstance(name, str) or not isinstance(body, dict):
            raise Unreadable("It is an object of LangChain, but not a message.")
        return _kind(name), body
    kind = value.get("type")
    if not isinstance(kind, str) or not kind:
        raise Unreadable("It does not say whose message it is: it has no type.")
    body = value
    if "content" not in value and "data" in value:
        body = value["data"]
        if not isinstance(body, dict):
            raise Unreadable("Its data is not a message.")
    return _kind(kind), body


def _kind(name: str) -> str:
    """`human` for `human`, `HumanMessage` and `HumanMessageChunk`."""
    found = _CLASS_NAME.fullmatch(name)
    return (found[1] if found else name).lower()


def _role(kind: str, body: Mapping[str, Any]) -> MemoryRole | None:
    if kind in _BY_ROLE:
        role = body.get("role")
        if not isinstance(role, str) or role.lower() not in _ROLES:
            raise Unreadable(f"Its role is {_shown(role)}, which is unknown.")
        return _ROLES[role.lower()]
    # As types, the names of roles break N8n's own memory: no node of N8n wrote such a row.
    if kind not in _ROLES or kind in ("user", "assistant", "developer"):
        raise Unreadable(f"Its type is {_shown(kind)}, which is unknown.")
    return _ROLES[kind]


def _shown(value: Any) -> str:
    return f'"{value[:40]}"' if isinstance(value, str) else "missing"


def _is_hidden(body: Mapping[str, Any]) -> bool:
    extra = body.get("additional_kwargs")
    return isinstance(extra, dict) and bool(extra.get("hideFromUI"))


def _has_tool_calls(body: Mapping[str, Any]) -> bool:
    extra = body.get("additional_kwargs")
    places = (body, extra) if isinstance(extra, dict) else (body,)
    names = ("tool_calls", "invalid_tool_calls", "tool_call_chunks", "function_call")
    return any(bool(place.get(name)) for place in places for name in names)


def _only_calls_tool(text: str, *, is_call: bool) -> bool:
    found = _CALLING.fullmatch(text)
    if found is None:
        return False
    return is_call or _is_json_object(found[1])


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
