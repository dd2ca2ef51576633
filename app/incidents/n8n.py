"""A failed run of an N8n workflow, as its Error Trigger tells it, becomes an incident."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.incidents.alike import changeless
from app.incidents.record import Noted, Seen, note
from app.incidents.redact import bare_url, redact, redact_name
from app.models import ChatSession

NO_REASON = "It failed without saying why."
#: Of all ids that a report holds, this many are looked up.
MOST_IDS = 200
# An id may have a node's name behind it: `…__Postgres_Chat_Memory`.
_UUID = re.compile(
    r"(?<![0-9a-zA-Z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-zA-Z])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FailedRun:
    """What N8n tells, unredacted; empty where it says nothing.

    `run_id` is the run's own: the same one again is the same failure.
    """

    workflow_id: str
    workflow_name: str
    node: str
    error: str
    message: str
    mode: str
    run_id: str
    url: str


def report(session: Session, run: FailedRun, whole: str, site_id: uuid.UUID | None) -> Noted:
    """Note it, in the caller's transaction. `whole` is all of the report as text: it is searched
    for one of our sessions' ids and not kept. `site_id`: whose report it is, if one site's only.
    """
    workflow = redact_name(run.workflow_name) or f"Workflow {redact_name(run.workflow_id)}"
    node = redact_name(run.node)
    detail = {
        "workflow": workflow,
        "node": node,
        "error": redact(run.error, 120),
        "mode": redact(run.mode, 50),
    }
    seen = Seen(
        source="n8n",
        group=(
            str(site_id or ""),
            run.workflow_id or run.workflow_name,
            run.node,
            run.error,
            changeless(run.message),
        ),
        title=f"{workflow}, at “{node}”" if node else workflow,
        problem=redact(run.message) or NO_REASON,
        site_id=site_id,
        session_id=_mentioned(session, _UUID.findall(f"{run.message}\n{whole}"), site_id),
        external_id=run.run_id or None,
        url=bare_url(run.url),
        detail={name: value for name, value in detail.items() if value},
    )
    return note(session, seen)


def _mentioned(session: Session, ids: Iterable[str], site_id: uuid.UUID | None) -> uuid.UUID | None:
    """The first of these that is a session of ours, and of that site, if one is given."""
    wanted = [uuid.UUID(each) for each in dict.fromkeys(ids)][:MOST_IDS]
    if not wanted:
        return None
    statement = select(ChatSession.id).where(ChatSession.id.in_(wanted))
    if site_id is not None:
        statement = statement.where(ChatSession.site_id == site_id)
    found = set(session.scalars(statement))
    return next((each for each in wanted if each in found), None)
