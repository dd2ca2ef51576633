"""Note an error: alike ones are one incident that is counted up."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events

Source = Literal["n8n", "assistant"]

#: Of an incident, the newest reports are kept; `count` counts all there ever were.
MOST_REPORTS = 50

# A session's row is locked before its incident's, as deleting the session does: no deadlock, and
# a session that is gone is not named.
_KNOWN_SESSION = text("SELECT id FROM chat_sessions WHERE id = :session_id FOR KEY SHARE")
_BEGIN = text("""
    INSERT INTO incidents (id, source, fingerprint, site_id, session_id, title, problem, detail,
                           url, count, first_at, last_at)
    VALUES (:id, :source, :fingerprint, :site_id, :session_id, :title, :problem,
            CAST(:detail AS jsonb), :url, 1, :now, :now)
    ON CONFLICT (fingerprint) DO NOTHING
""")
# Whoever comes second waits here for the first one's commit, then sees its report below. A lock
# and no update: a second update in one transaction would check the row's foreign keys again, and
# wait for a session that is being deleted.
_LOCK = text("""
    SELECT id, count AS times, session_id FROM incidents
     WHERE fingerprint = :fingerprint FOR NO KEY UPDATE
""")
_REPORT = text("""
    INSERT INTO incident_reports (incident_id, external_id, at, session_id, url)
    VALUES (:incident_id, :external_id, :now, :session_id, :url)
    ON CONFLICT DO NOTHING RETURNING id
""")
_COUNT_UP = text("""
    UPDATE incidents
       SET count = count + 1, last_at = greatest(last_at, :now), title = :title,
           problem = :problem, detail = CAST(:detail AS jsonb), url = coalesce(:url, url),
           site_id = coalesce(site_id, :site_id), session_id = coalesce(:session_id, session_id),
           resolved_at = NULL, resolved_by = NULL
     WHERE id = :incident_id
    RETURNING count AS times, session_id
""")
# Deleting a session holds reports of it: those are left for the next time, not waited for.
_PRUNE = text("""
    DELETE FROM incident_reports WHERE id IN (
        SELECT id FROM incident_reports WHERE incident_id = :incident_id
         ORDER BY id DESC OFFSET :most FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Seen:
    """One error. Those with the same source and `group` are one incident.

    `title` is where it happened, `problem` what, in words for people; nothing in it may be a
    contact detail or a secret (`redact`). `external_id`: its id where it came from; the same one
    again is the same error.
    """

    source: Source
    group: tuple[str, ...]
    title: str
    problem: str
    site_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    external_id: str | None = None
    url: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """The incident: how often it was seen, and the latest session it is known to have met."""

    id: uuid.UUID
    count: int
    session_id: uuid.UUID | None


def note(session: Session, seen: Seen) -> Noted:
    """Count this error and open its incident again if it was resolved, in the caller's
    transaction. An error that is known by its `external_id` changes nothing.

    Holds the incident's row until the caller commits: note one error a transaction.
    """
    incident_id = uuid.uuid4()
    values = {
        "id": incident_id,
        "source": seen.source,
        "fingerprint": _fingerprint(seen),
        "site_id": seen.site_id,
        "session_id": session.scalar(_KNOWN_SESSION, {"session_id": seen.session_id}),
        "external_id": seen.external_id,
        "title": seen.title,
        "problem": seen.problem,
        "detail": json.dumps(dict(seen.detail)),
        "url": seen.url,
        "now": clock.now(),
    }
    session.execute(_BEGIN, values)
    incident = session.execute(_LOCK, values).one()
    values["incident_id"] = incident.id
    if session.scalar(_REPORT, values) is None:
        return Noted(incident.id, incident.times, incident.session_id)
    if incident.id != incident_id:
        incident_id = incident.id
        incident = session.execute(_COUNT_UP, values).one()
        session.execute(_PRUNE, {"incident_id": incident_id, "most": MOST_REPORTS})
    events.announce(session, "incidents", incident_id)
    return Noted(incident_id, incident.times, incident.session_id)


def _fingerprint(seen: Seen) -> str:
    group = json.dumps(seen.group, ensure_ascii=True)
    return f"{seen.source}:{hashlib.sha256(group.encode()).hexdigest()}"
