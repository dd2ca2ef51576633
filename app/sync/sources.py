"""Which of N8n's chat memory tables are read, for which site, and how far each has been read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import table_of, transaction
from app.gateways.n8n_memory import table_name
from app.models import MemorySource

#: A table that fails is left alone this long, by every process.
SKIP_FOR = timedelta(seconds=30)
#: `seen_at` is brought up to date once a minute while there is nothing to do.
SEEN_EVERY = timedelta(seconds=60)
FOLLOWED_FOR = 1.5 * SEEN_EVERY
_SOURCES = table_of(MemorySource)

# The oldest site that names a table has it; what nobody names belongs to the oldest site.
_WANTED = text("""
    WITH named AS (
        SELECT DISTINCT ON (lower(memory_table)) lower(memory_table) AS table_name, id AS site_id
          FROM sites WHERE memory_table <> ''
         ORDER BY lower(memory_table), created_at, id
    ), wanted AS (
        SELECT * FROM named
        UNION ALL
        (SELECT :default, id FROM sites
          WHERE NOT EXISTS (SELECT FROM named
                             WHERE table_name IN (:default, 'public.' || :default))
          ORDER BY created_at, id LIMIT 1)
    )
    SELECT w.table_name, w.site_id, s.id, s.skip_until, s.last_error, s.relation, s.seen_at
      FROM wanted w
      LEFT JOIN memory_sources s
        ON s.ended_at IS NULL
       AND s.table_name = regexp_replace(w.table_name, '^public[.]', '')
     ORDER BY s.id, w.table_name
""")
_MAKE = text("""
    INSERT INTO memory_sources (table_name, created_at) VALUES (:table, :now)
    ON CONFLICT (table_name) WHERE ended_at IS NULL DO NOTHING
""")
_LOCK = text("SELECT pg_try_advisory_xact_lock(5019, hashtext(:table))")
_WAIT = text("SELECT pg_advisory_xact_lock(5019, hashtext(:table))")


class MemorySettings(Protocol):
    """Read-only; the application's own `Settings` is one."""

    @property
    def n8n_memory_database_url(self) -> str: ...
    @property
    def n8n_memory_table(self) -> str: ...
    @property
    def database_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A table's present life and whose conversations it holds. `is_skipped`: it failed within
    the last 30 seconds (`last_error`), and is left alone. `is_followed`: somebody has read it
    lately.
    """

    id: int
    table: str
    site_id: uuid.UUID
    is_skipped: bool = False
    last_error: str | None = None
    is_followed: bool = False


_configured: MemorySettings | None = None


def configure(settings: MemorySettings) -> None:
    """Set by wiring."""
    global _configured  # noqa: PLW0603 - set once, by wiring
    _configured = settings


def default_table() -> str:
    """The table of sites that name none (N8N_MEMORY_TABLE)."""
    return _settings().n8n_memory_table


def outside_url() -> str:
    """Where the tables are, for SQLAlchemy; empty: in the app's own database."""
    settings = _settings()
    url = settings.n8n_memory_database_url
    return "" if url == settings.database_url else url


def current(session: Session) -> list[Source]:
    """Every table that is to be read. No site: nothing to read it for.

    A table seen for the first time gets its `memory_sources` row.
    """
    rows = _wanted(session)
    if any(row.id is None for row in rows):
        for row in rows:
            if row.id is None and _is_name(row.table_name):
                session.execute(_MAKE, {"table": table_name(row.table_name), "now": clock.now()})
        rows = _wanted(session)
    return _without_doubles([row for row in rows if row.id is not None])


def _wanted(session: Session) -> Sequence[Row[Any]]:
    return session.execute(_WANTED, {"default": default_table()}).all()


def _is_name(name: str) -> bool:
    try:
        table_name(name)
    except ValueError:
        return False
    return True


def _without_doubles(rows: Sequence[Row[Any]]) -> list[Source]:
    """Two names may mean one table (`chats`, `n8n.chats`): the one known first is read."""
    now = clock.now()
    found: dict[str, Source] = {}
    for row in rows:
        table = (row.relation or "").rpartition("/")[0] or row.table_name
        if table not in found:
            is_skipped = row.skip_until is not None and row.skip_until > now
            is_followed = row.seen_at is not None and row.seen_at > now - FOLLOWED_FOR
            found[table] = Source(
                row.id,
                table_name(row.table_name),
                row.site_id,
                is_skipped,
                row.last_error,
                is_followed,
            )
    return list(found.values())


def lock(session: Session, table: str, *, wait: bool = False) -> bool:
    """Be the only one who reads this table, until the transaction ends. False: somebody is.

    Not a lock of the row: that would be written down, and looking must cost nothing.
    """
    if wait:
        session.execute(_WAIT, {"table": table})
        return True
    return bool(session.scalar(_LOCK, {"table": table}))


def failed(source_id: int, reason: str) -> None:
    """Leave the table alone for a while, in a transaction of its own. `reason`: plain words."""
    with transaction() as session:
        session.execute(
            update(_SOURCES)
            .where(_SOURCES.c.id == source_id)
            .values(skip_until=clock.now() + SKIP_FOR, last_error=reason)
        )


def change(session: Session, source_id: int, **values: int | str | datetime | None) -> None:
    session.execute(update(_SOURCES).where(_SOURCES.c.id == source_id).values(**values))


def _settings() -> MemorySettings:
    if _configured is None:
        raise RuntimeError("sync.configure(settings) has not been called")
    return _configured
