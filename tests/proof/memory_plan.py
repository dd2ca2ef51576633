"""What N8n writes: the rows of many conversations, shuffled together, in every form they have."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["visitor", "assistant"]
PROMISE = "Thank you! Our team will contact you within 24 hours."
#: As many conversations are under way at once.
AT_ONCE = 40
_TYPES = {"visitor": "human", "assistant": "ai"}
_CLASSES = {"visitor": "HumanMessage", "assistant": "AIMessage"}
#: They are no lines: nothing may be made of them.
SILENT: tuple[dict[str, Any], ...] = (
    {"type": "ai", "content": [], "tool_calls": [{"id": "c", "name": "crm", "args": {}}]},
    {"type": "tool", "name": "crm", "content": "within 24 hours", "tool_call_id": "c"},
    {"type": "ai", "content": 'Calling crm with input: {"note":"call within 24 hours"}'},
    {"type": "ai", "data": {"content": "", "type": "ai", "tool_calls": [{"id": "c"}]}},
)
UNREADABLE: dict[str, Any] = {"type": "remove", "content": "within 24 hours"}


@dataclass(frozen=True, slots=True)
class Row:
    """`role` and `text`: the line that has to come of it; no role: none. `is_unreadable`: it has to
    be set aside.
    """

    key: str
    written_key: str
    message: Any
    role: Role | None = None
    text: str = ""
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    number: int

    @property
    def key(self) -> str:
        return f"visitor-{self.number}"

    @property
    def is_promised(self) -> bool:
        """A fifth of all."""
        return self.number % 5 == 0

    @property
    def email(self) -> str:
        return f"visitor{self.number}@example.com"

    def rows(self) -> Iterator[Row]:
        number, lines = self.number, 1 + self.number % 3
        yield self._line("assistant", f"Hello {number}, how can we help?")
        for turn in range(lines):
            # Who asks for a call promises nothing.
            yield self._line("visitor", f"Question {turn} of {number}: a call within 24 hours?")
            if number % 2 == 0:
                yield self._silent()
            yield self._line("assistant", f"Answer {turn} for {number}.")
        yield self._line("visitor", f"You can write to {self.email}")
        if number % 97 == 13:
            yield Row(self.key, self.key, UNREADABLE, is_unreadable=True)
        last = PROMISE if self.is_promised else "Somebody will have a look."
        yield self._line("assistant", last)
        if number % 10 in (0, 1):
            yield self._line("visitor", f"Thank you, says {number}")

    def _silent(self) -> Row:
        return Row(self.key, self._written_key(), random.choice(SILENT))

    def _line(self, role: Role, text: str) -> Row:
        return Row(self.key, self._written_key(), _message(role, text), role, text)

    def _written_key(self) -> str:
        return f"{self.key}__Postgres_Chat_Memory" if self.number % 7 == 0 else self.key


def _message(role: Role, text: str) -> Any:
    plain = {"additional_kwargs": {}, "response_metadata": {}}
    kind = _TYPES[role]
    forms: list[Any] = [
        {"type": kind, "content": text, **plain},
        {"type": kind, "content": text, **plain},
        {"type": kind, "content": text},
        {"type": kind, "content": [{"type": "text", "text": text}], **plain},
        {"type": kind, "data": {"content": text, "type": kind, "example": False}},
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain_core", "messages", _CLASSES[role]],
            "kwargs": {"content": text},
        },
    ]
    if role == "assistant":
        used = '[Used tools: Tool: crm, Input: {"q":"within 24 hours ]"}, Result: [1]] '
        forms.append({"type": "ai", "content": used + text, "tool_calls": [], **plain})
    return random.choice(forms)


def batches(conversations: list[Conversation], most_rows: int) -> Iterator[list[Row]]:
    """All rows, each conversation's in order but many conversations mixed, a few rows at a time."""
    waiting = deque(iter(c.rows()) for c in conversations)
    open_ones = [waiting.popleft() for _ in range(min(AT_ONCE, len(waiting)))]
    mixed = _mixed(open_ones, waiting)
    while batch := list(itertools.islice(mixed, random.randint(1, most_rows))):
        yield batch


def _mixed(open_ones: list[Iterator[Row]], waiting: deque[Iterator[Row]]) -> Iterator[Row]:
    while open_ones:
        at = random.randrange(len(open_ones))
        row = next(open_ones[at], None)
        if row is not None:
            yield row
        elif waiting:
            open_ones[at] = waiting.popleft()
        else:
            open_ones.pop(at)


def decoys(conversations: list[Conversation], count: int) -> list[Row]:
    """Rows that will be rolled back: in conversations without a promise, one each."""
    others = [each for each in conversations if not each.is_promised]
    return [
        Row(each.key, each.key, _message("assistant", PROMISE), "assistant", PROMISE)
        for each in random.choices(others, k=count)
    ]
