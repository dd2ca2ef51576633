"""What a check is: a rule in plain words, how to find what breaks it, how to repair that."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from app.core.db import transaction

Key = uuid.UUID | int
HIGHEST_UUID = uuid.UUID(int=2**128 - 1)
HIGHEST_NUMBER = 2**63 - 1
#: Rows looked at in one statement, a transaction of its own: a fraction of a second.
CHUNK_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Span:
    """The rows to look at: keys above `after`, up to `through`. `began_at`, `newest_message`:
    when the whole check began, and the newest message's id of then.
    """

    after: Key
    through: Key
    began_at: datetime
    newest_message: int

    def values(self) -> dict[str, Any]:
        return {"after": self.after, "through": self.through, "now": self.began_at}

    def only(self, key: Key) -> Span:
        before = uuid.UUID(int=key.int - 1) if isinstance(key, uuid.UUID) else key - 1
        return Span(before, key, self.began_at, self.newest_message)


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks a rule. `session_id`: whose page shows it; `about`: what a repair needs."""

    key: Key
    session_id: uuid.UUID | None
    about: Any = None


@dataclass(frozen=True, slots=True)
class Check:
    """`holds`: the rule; `broken`: what is said of rows that break it, after their number.

    `find` looks at a span of `table` by `column` in one statement, so that it sees nothing half
    done. `repair` mends one finding in the caller's transaction, through the door.
    """

    key: str
    holds: str
    broken: str
    find: Callable[[Session, Span], list[Finding]]
    repair: Callable[[Session, Finding], None]
    table: str = "chat_sessions"
    column: str = "id"
    rows: int = CHUNK_ROWS

    def spans(self, whole: Span) -> Iterator[tuple[Span, float]]:
        """The whole table in chunks, each with how much is done before it, from 0 to 1."""
        after, through = self._ends()
        last: int = int(through)
        if not isinstance(through, uuid.UUID):
            with transaction() as session:
                last = session.scalar(text(f"SELECT max({self.column}) FROM {self.table}")) or 1  # noqa: S608
        end: Key | None = after
        while end is not None:
            after = end
            with transaction() as session:
                end = session.scalar(self._end_of_chunk(), {"after": after, "skip": self.rows - 1})
            span = Span(after, end or through, whole.began_at, whole.newest_message)
            yield span, min(int(after) / last, 1.0)

    def _ends(self) -> tuple[Key, Key]:
        if self.table == "chat_sessions":
            return uuid.UUID(int=0), HIGHEST_UUID
        return 0, HIGHEST_NUMBER

    def _end_of_chunk(self) -> TextClause:
        return text(
            f"SELECT {self.column} FROM {self.table} WHERE {self.column} > :after"  # noqa: S608
            f" ORDER BY {self.column} OFFSET :skip LIMIT 1"
        )
