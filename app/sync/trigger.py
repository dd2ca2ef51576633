"""A trigger on N8n's table that tells us of new rows at once, where our database user may make one.

N8n's own insert must neither fail nor wait for it: it only adds a notice to the transaction, leaves
it out when something is wrong, and when nobody listens a notice costs nothing more.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import transaction
from app.core.errors import Conflict, Denied, NotFound
from app.gateways.n8n_memory import table_name
from app.sync import access
from app.sync.failures import SourceFailed, TooSlow, failure, sqlstate
from app.sync.rows import quoted

#: What to LISTEN to, in the database of the table.
CHANNEL = "p5_memory"
_NAME = "p5_memory_notice"
#: How long a page waits to hear whether the trigger is there.
PATIENCE_SECONDS = 1.0
_PAYLOAD = re.compile(r"([a-z_0-9$.]{1,130}) ([0-9]{1,19}) ([0-9]{1,19})")

# A full queue of notices would make N8n's commit fail: better that we look a little later.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $p5$
BEGIN
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('{channel}', TG_ARGV[0] || ' ' || min(id) || ' ' || max(id))
           FROM p5_new_rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$p5$;
CREATE OR REPLACE TRIGGER {name} AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS p5_new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {function}('{plain}');
"""
_IS_INSTALLED = text("""
    SELECT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = to_regclass(:table) AND tgname = :name AND tgenabled <> 'D')
""")


def install(table: str) -> None:
    """Make the trigger, or make it again.

    Raises ValueError for what is no table's name, NotFound when there is no such table, Denied
    when our database user may not, Conflict when the table is busy: each a sentence that says
    what to do.
    """
    name = table_name(table)
    statements = _statements(name)
    engine = access.engine()
    try:
        if engine is None:
            with transaction() as session:
                session.connection().exec_driver_sql(statements)
            return
        # One text of several statements is one transaction.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statements)
    except SQLAlchemyError as error:
        raise _explained(error, name) from error


def is_installed(table: str) -> bool:
    """Whether the table tells us of new rows. Raises SourceFailed."""
    values = {"table": quoted(table_name(table)), "name": _NAME}

    def question(connection: Connection, _milliseconds: int) -> bool:
        return bool(connection.scalar(_IS_INSTALLED, values))

    with transaction() as session:
        try:
            return access.ask(session, question, PATIENCE_SECONDS)
        except TooSlow:
            raise SourceFailed("The database does not answer.") from None


def parse(payload: str) -> tuple[str, tuple[int, int]] | None:
    """A notice's table and the range of its new row numbers; None when it is not one of ours."""
    found = _PAYLOAD.fullmatch(payload)
    if found is None:
        return None
    first, last = int(found[2]), int(found[3])
    return (found[1], (first, last)) if first <= last < 2**63 else None


def _statements(name: str) -> str:
    schema = name.rpartition(".")[0]
    function = f"{quoted(schema)}.{_NAME}" if schema else _NAME
    made = _FUNCTION.format(
        function=function, channel=CHANNEL, name=_NAME, table=quoted(name), plain=name
    )
    # Who waits for the table's lock makes everybody after it wait: not for long, then.
    return f"SET LOCAL lock_timeout = '2s'; SET LOCAL client_min_messages = 'warning'; {made}"


def _explained(error: SQLAlchemyError, name: str) -> Exception:
    code = sqlstate(error)
    if code in ("42P01", "3F000"):
        return NotFound(f"There is no table {name} yet. N8n makes it with the first conversation.")
    if code == "42501":
        return Denied(
            f"Our database user may not add a trigger to {name}. It needs TRIGGER on the table "
            "and CREATE on its schema. Without it a worker looks every 2 seconds."
        )
    if code in ("55P03", "57014"):
        return Conflict(f"The table {name} is in use. Please try again in a moment.")
    if code == "42703":
        return Conflict(f"The table {name} has no column id: it is no chat memory of N8n.")
    found = failure(error, is_hurried=False)
    return Conflict(str(found) or "The database does not answer.")
