"""What a check is: a rule in plain words, how to find what breaks it, how to repair that."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

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

    def span(self, session: Session, after: Key | None, whole: Span) -> tuple[Span, Key | None]:
        """The chunk of the table behind the key `after`, None for the first, and the key from which
        the next one goes on; None: this is the last.
        """
        first, through = self._ends()
        after = first if after is None else after
        end = session.scalar(self._end_of_chunk(), {"after": after, "skip": self.rows - 1})
        return Span(after, end or through, whole.began_at, whole.newest_message), end

    def share_before(self, session: Session, key: Key) -> float:
        """How much of the table lies up to this key, from 0 to 1."""
        last: int = HIGHEST_UUID.int
        if not isinstance(key, uuid.UUID):
            last = session.scalar(text(f"SELECT max({self.column}) FROM {self.table}")) or 1  # noqa: S608
        return min(int(key) / last, 1.0)

    def key_from(self, stored: str | None) -> Key | None:
        """A key of the table from its text."""
        if stored is None:
            return None
        return uuid.UUID(stored) if self.table == "chat_sessions" else int(stored)

    def _ends(self) -> tuple[Key, Key]:
        if self.table == "chat_sessions":
            return uuid.UUID(int=0), HIGHEST_UUID
        return 0, HIGHEST_NUMBER

    def _end_of_chunk(self) -> TextClause:
        return text(
            f"SELECT {self.column} FROM {self.table} WHERE {self.column} > :after"  # noqa: S608
            f" ORDER BY {self.column} OFFSET :skip LIMIT 1"
        )
