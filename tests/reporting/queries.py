"""Count what a piece of code asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.core.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent while the block runs, on every connection of this process."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    target = db.engine if hasattr(db.engine, "pool") else db.engine.engine
    event.listen(target, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(target, "before_cursor_execute", note)
