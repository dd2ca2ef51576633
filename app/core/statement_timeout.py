"""Limit how long a statement of a page may run, without an extra round trip.

The limit is `SET LOCAL`, sent together with the first statement of a transaction: it ends with the
transaction, so no other user of the connection meets it, behind a transaction pooler either.
(A session's SET would stay with the pooler's server connection, and `options=-c …` in the address
is refused by PgBouncer unless it is told to ignore it.) psycopg2 sends both in one message and
gives the result of the last.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event

from app.core.connection_shares import Share, current_use

_DUE = "statement_timeout_is_due"


def limit_statements(engine: Engine) -> None:
    """Keep the share's `statement_timeout_ms` on every transaction of this engine."""
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _prefix, retval=True)


def set_local(share: Share) -> str:
    """What to put before the first statement of a transaction; mostly nothing."""
    limit_ms = share.statement_timeout_ms
    return "" if limit_ms is None else f"SET LOCAL statement_timeout = {limit_ms}; "


def _begin(connection: Connection) -> None:
    connection.info[_DUE] = True


def _prefix(
    connection: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
) -> tuple[str, Any]:
    if not connection.info.pop(_DUE, False):
        return statement, parameters
    prefix = set_local(current_use().share)
    if not prefix or cursor.connection.autocommit:
        return statement, parameters
    if many or cursor.name is not None:  # repeated for each row; or part of a DECLARE
        with cursor.connection.cursor() as own:
            own.execute(prefix)
        return statement, parameters
    return prefix + statement, parameters
