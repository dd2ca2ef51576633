"""The words in a message's `content`, and what tools left in front of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

USED_TOOLS = "[Used tools:"
#: More lists of tools in a row than any agent writes.
_MOST_LISTS = 20
PICTURE, ATTACHMENT = "[picture]", "[attachment]"
_TEXT_TYPES = frozenset({"text", "output_text", "input_text", "text_delta"})
_PICTURE_TYPES = frozenset({"image", "image_url", "input_image", "image_file"})
_TOOL_TYPES = frozenset({"tool_use", "tool_call", "function_call", "server_tool_use"})
_ATTACHMENT_TYPES = frozenset(
    {"audio", "input_audio", "video", "file", "input_file", "document", "media"}
)
#: Between the words of two blocks: nothing where the writer cut a sentence in two.
_STARTS_WITHIN = re.compile(r"[\s.,;:!?)\]}…]")


class Unreadable(Exception):  # noqa: N818 - it says what the row is
    """The row cannot be read; the message says why, in plain words."""


@dataclass(frozen=True, slots=True)
class Content:
    """`stand_in`: what to say of a line that is only a picture or a file. `calls_tool`: a block
    of it calls a tool.
    """

    text: str = ""
    stand_in: str = ""
    calls_tool: bool = False


def content_of(value: Any) -> Content:
    """The words of a string, of nothing, or of a list of content blocks. Raises Unreadable."""
    if value is None:
        return Content()
    if isinstance(value, str):
        return Content(clean(value))
    blocks = value if isinstance(value, list) else [value]
    texts: list[str] = []
    kinds: set[str] = set()
    for block in blocks:
        kind, text = _block(block)
        kinds.add(kind)
        if text:
            texts.append(text)
    stand_in = PICTURE if kinds & _PICTURE_TYPES else ""
    return Content(
        clean(_joined(texts)),
        stand_in or (ATTACHMENT if kinds & _ATTACHMENT_TYPES else ""),
        bool(kinds & _TOOL_TYPES),
    )


def clean(text: str) -> str:
    """Without what no database column can hold: NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def without_tools(text: str) -> str:
    """An answer without the `[Used tools: …] ` that some memories glue in front of it.

    What a tool said may hold any brackets and quotes. Where it is not clear how far it goes, more
    is taken away rather than less: a tool's words must never pass for the assistant's. Raises
    Unreadable when the bracket is never closed.
    """
    rest = text
    for _ in range(_MOST_LISTS):
        if not rest.startswith(USED_TOOLS):
            return rest
        end = _closing(rest, mind_strings=True)
        if end is None:
            end = _closing(rest, mind_strings=False)
        if end is None:
            break
        rest = rest[end + 1 :]
        rest = rest[_after_stray_brackets(rest) :].lstrip()
    raise Unreadable("The list of used tools in front of the answer has no end.")


def _block(block: Any) -> tuple[str, str]:
    """A content block's type and its words."""
    if isinstance(block, str):
        return "text", block
    if not isinstance(block, dict):
        raise Unreadable(f"A part of its content is {_kind(block)}, which is no text.")
    kind = block.get("type", "text")
    if not isinstance(kind, str):
        raise Unreadable("A part of its content does not say what it is.")
    if kind not in _TEXT_TYPES:
        return kind, ""
    words = block.get("text", "")
    if isinstance(words, dict):
        words = words.get("value", "")
    if words is None:
        words = ""
    if not isinstance(words, str):
        raise Unreadable(f"The text of a part of its content is {_kind(words)}.")
    return kind, words


def _joined(texts: list[str]) -> str:
    joined = ""
    for text in texts:
        is_within = not joined or joined[-1].isspace() or _STARTS_WITHIN.match(text)
        joined += text if is_within else f"\n{text}"
    return joined


def _closing(text: str, *, mind_strings: bool) -> int | None:
    """Where the bracket that opens `text` is closed, brackets inside JSON strings not counted."""
    depth, in_string, at = 0, False, 0
    for found in _MARKS.finditer(text):
        at, mark = found.start(), found.group()
        if mark == '"':
            in_string = mind_strings and not in_string
        elif in_string or len(mark) == 2:
            continue
        elif mark == "[":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return at
    return None


def _after_stray_brackets(text: str) -> int:
    """Where the text goes on behind the last `]` that nothing before it opens."""
    depth, at = 0, 0
    for found in _BRACKETS.finditer(text):
        depth += 1 if found.group() == "[" else -1
        if depth < 0:
            depth, at = 0, found.end()
    return at


_MARKS = re.compile(r'\\.|["\[\]]', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]]")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return {"list": "a list", "dict": "an object", "NoneType": "empty"}.get(
        type(value).__name__, "of a strange kind"
    )
