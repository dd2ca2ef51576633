"""Questions to a chat memory table. Each is a plain function of a connection; none writes.

Every question first limits itself: N8n's table may be locked, or far away.
"""

# ruff: noqa: S608 - no parameter can name a table; `quoted` does, checked by `table_name`
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

#: A message up to this many (compressed) bytes is read along with the others.
LARGE_BYTES = 200_000
LARGEST_BYTES = 16_000_000
_QUOTED = str.maketrans({'"': '""'})

# `enable_seqscan`: a look must never become a reading of the whole table by a wrong estimate.
_PREPARE = text("""
    SELECT set_config('statement_timeout', :limit, true), set_config('lock_timeout', :limit, true),
           set_config('enable_seqscan', 'off', true),
           (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || found
           || '/' || coalesce(pg_relation_filenode(found)::text, '') AS relation
      FROM (SELECT to_regclass(:table)::oid AS found) f
""")
_ROW = f"""id, session_id::text AS session,
    CASE WHEN pg_column_size(message) <= {LARGE_BYTES} THEN message::text END AS message"""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """`message`: its JSON as text; None when it is empty, or too large to be read."""

    id: int
    session: str
    message: str | None

    def fingerprint(self) -> str:
        words = f"{self.session}\0{self.message or ''}"
        return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Look:
    """`relation`: `database/table/file`, the table's identity. `late`: rows inside gaps. `rows`:
    those above the highest row seen; `anchor`: the one it is recognised by, if it is still there.
    """

    relation: str
    anchor: SourceRow | None = None
    rows: list[SourceRow] = field(default_factory=list)
    late: list[SourceRow] = field(default_factory=list)


def look(
    connection: Connection,
    milliseconds: int,
    table: str,
    high_row: int,
    anchor_row: int | None,
    gaps: Sequence[tuple[int, int]],
    limit: int,
) -> Look | None:
    """The anchor, up to `limit` new rows and up to `limit` rows in gaps. None: no such table."""
    relation = _prepare(connection, milliseconds, table)
    if relation is None:
        return None
    parts = [f"SELECT 0 AS part, {_ROW} FROM {quoted(table)} WHERE id = :anchor"]
    parts.append(
        f"(SELECT 1 AS part, {_ROW} FROM {quoted(table)} WHERE id > :high ORDER BY id LIMIT :limit)"
    )
    if gaps:
        # LATERAL with a LIMIT of its own: one look-up in the table's index for each gap.
        parts.append(f"""(SELECT 2 AS part, r.* FROM unnest(CAST(:firsts AS bigint[]),
            CAST(:lasts AS bigint[])) AS g (first, last) CROSS JOIN LATERAL (
              SELECT {_ROW} FROM {quoted(table)}
               WHERE id BETWEEN g.first AND g.last ORDER BY id LIMIT :limit) r
            ORDER BY r.id LIMIT :limit)""")
    values = {
        "anchor": anchor_row,
        "high": high_row,
        "limit": limit,
        "firsts": [first for first, _ in gaps],
        "lasts": [last for _, last in gaps],
    }
    seen = Look(relation)
    anchor = None
    for part, id_, session, message in connection.execute(text(" UNION ALL ".join(parts)), values):
        row = SourceRow(id_, session or "", message)
        if part == 0:
            anchor = row
        else:
            (seen.rows if part == 1 else seen.late).append(row)
    seen.rows.sort(key=lambda row: row.id)
    seen.late.sort(key=lambda row: row.id)
    return Look(
        relation,
        anchor,
        _with_large(connection, table, seen.rows),
        _with_large(connection, table, seen.late),
    )


def row_numbers(
    connection: Connection, milliseconds: int, table: str, after_row: int, limit: int
) -> list[int]:
    """The next row numbers; none when there are no more, or no table."""
    if _prepare(connection, milliseconds, table) is None:
        return []
    statement = f"SELECT id FROM {quoted(table)} WHERE id > :after ORDER BY id LIMIT :limit"
    return list(connection.scalars(text(statement), {"after": after_row, "limit": limit}))


def numbered(
    connection: Connection, milliseconds: int, table: str, numbers: Sequence[int]
) -> list[SourceRow]:
    """Those of these rows that are there, in order."""
    if not numbers or _prepare(connection, milliseconds, table) is None:
        return []
    statement = f"""SELECT {_ROW} FROM {quoted(table)}
        WHERE id = ANY(CAST(:numbers AS bigint[])) ORDER BY id"""
    found = connection.execute(text(statement), {"numbers": list(numbers)})
    rows = [SourceRow(id_, session or "", message) for id_, session, message in found]
    return _with_large(connection, table, rows)


def ends(
    connection: Connection, milliseconds: int, table: str, high_row: int, most: int
) -> list[SourceRow]:
    """Up to twice `most` rows that should be known: the lowest ones and the highest ones."""
    if _prepare(connection, milliseconds, table) is None:
        return []
    statement = f"""
        (SELECT {_ROW} FROM {quoted(table)} WHERE id <= :high ORDER BY id LIMIT :most)
        UNION
        (SELECT {_ROW} FROM {quoted(table)} WHERE id <= :high ORDER BY id DESC LIMIT :most)"""
    found = connection.execute(text(statement), {"high": high_row, "most": most})
    return [SourceRow(id_, session or "", message) for id_, session, message in found]


def highest(connection: Connection, milliseconds: int, table: str) -> int:
    """The highest row number; 0 for an empty or missing table."""
    if _prepare(connection, milliseconds, table) is None:
        return 0
    return connection.scalar(text(f"SELECT max(id) FROM {quoted(table)}")) or 0


def quoted(table: str) -> str:
    """`"schema"."table"`, for SQL."""
    return ".".join(f'"{part.translate(_QUOTED)}"' for part in table.split("."))


def _prepare(connection: Connection, milliseconds: int, table: str) -> str | None:
    values = {"limit": str(max(milliseconds, 1)), "table": quoted(table)}
    relation: str | None = connection.execute(_PREPARE, values).one().relation
    return relation


def _with_large(connection: Connection, table: str, rows: list[SourceRow]) -> list[SourceRow]:
    """Large messages are read one by one, so that many of them cannot fill the memory twice."""
    return [row if row.message is not None else _large(connection, table, row) for row in rows]


def _large(connection: Connection, table: str, row: SourceRow) -> SourceRow:
    statement = f"""SELECT CASE WHEN octet_length(message::text) <= {LARGEST_BYTES}
        THEN message::text END FROM {quoted(table)} WHERE id = :id"""
    return SourceRow(row.id, row.session, connection.scalar(text(statement), {"id": row.id}))
