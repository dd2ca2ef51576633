"""A widget session answered by N8n has the same lines in both places: which row is which line.

Pure. Rows come in their source's order and are compared by what they say, not how it is dressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.completion.plain_text import plain, plain_ascii
from app.models.transcript import Role


@dataclass(slots=True)
class Stored:
    """A message as it is stored. `is_own`: somebody else than N8n's memory wrote it, too."""

    id: int
    role: Role
    text: str
    created_at: datetime
    field: str | None = None
    source_id: int | None = None
    source_row: int | None = None
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Twin:
    """`link`: the row says what `message` says. `duplicate`: it repeats what is there. `new`: only
    N8n wrote it; it answers the visitor's message `answers`, as far as rows tell.
    """

    kind: Literal["link", "duplicate", "new"]
    message: Stored | None = None
    answers: int | None = None


def said(text: str) -> str:
    """What two copies of one line have in common."""
    simple = plain_ascii(text)
    return (plain(text).text if simple is None else simple).strip() or text.strip()


def match(rows: Sequence[Row], messages: Sequence[Stored], source_id: int) -> list[Twin]:
    """What each of these new rows of one session is. `messages`: its whole transcript, oldest
    first; those that turn out to have a row are given it (`source_id`, `source_row`).
    """
    by_words: dict[tuple[Role, str], list[Stored]] = {}
    for message in messages:
        by_words.setdefault((message.role, said(message.text)), []).append(message)
    first_visitor = next((at for at, each in enumerate(messages) if each.role == "visitor"), 0)
    opening = {each.id for each in messages[:first_visitor]}
    # Where visitors' rows stand: (row, message id). Rows that were imported count, too.
    spoken = [
        (each.source_row, each.id)
        for each in messages
        if each.role == "visitor" and each.source_id == source_id and each.source_row is not None
    ]
    twins = []
    for row in rows:
        twin = _match(row, by_words.get((row.role, said(row.text)), []), spoken, opening, source_id)
        if twin.kind == "link" and twin.message is not None:
            twin.message.source_id, twin.message.source_row = source_id, row.number
            if row.role == "visitor":
                spoken.append((row.number, twin.message.id))
        elif twin.kind == "new" and row.role == "visitor":
            spoken.append((row.number, 0))
        twins.append(twin)
    return twins


def _match(
    row: Row,
    equals: list[Stored],
    spoken: list[tuple[int, int]],
    opening: set[int],
    source_id: int,
) -> Twin:
    before = max((each for each in spoken if each[0] < row.number), default=None)
    for message in equals:
        # What greeted the visitor is no answer that N8n gave later on.
        is_greeting = before is not None and message.id in opening
        if message.source_row is None and not (row.role == "assistant" and is_greeting):
            return Twin("link", message)
    if row.role == "visitor":
        # Asked again after a crash, N8n notes the question a second time.
        if any(message.is_own for message in equals):
            return Twin("duplicate")
    elif row.role == "assistant" and _is_repeated(row, equals, spoken, source_id):
        return Twin("duplicate")
    return Twin("new", answers=before[1] if before else None)


def _is_repeated(
    row: Row, equals: list[Stored], spoken: list[tuple[int, int]], source_id: int
) -> bool:
    for message in equals:
        earlier = message.source_row
        if earlier is None or message.source_id != source_id or earlier >= row.number:
            continue
        if not any(earlier < number < row.number for number, _ in spoken):
            return True
    return False
