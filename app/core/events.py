"""Tell every process what changed: PostgreSQL NOTIFY, ids only (rule 10).

What changes a status, a lead or a delivery is announced with its transaction. The stream of plain
messages is announced right after, gathered: PostgreSQL lets only one notifying transaction commit
at a time, which would cap the whole product (docs/decisions/0002-gathered-notices.md).
"""

from __future__ import annotations

import json
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "p5_events"
#: `sign_ins`: users, and sign-ins of theirs, whose open streams end.
Topic = Literal[
    "sessions",
    "deliveries",
    "destinations",
    "sites",
    "incidents",
    "users",
    "keys",
    "audit",
    "sign_ins",
]
#: PostgreSQL refuses a payload of 8000 bytes; past this many ids listeners are told to reload.
MOST_IDS = 150


def announce(session: Session, topic: Topic, changed_id: object) -> None:
    """Have the running transaction say, when it commits, that this row changed."""
    session.info.setdefault("announced", {}).setdefault(topic, set()).add(str(changed_id))


def payload(announced: dict[str, set[str]]) -> str:
    """The JSON text of a notice: `{"sessions": [ids]}`, or `{"reload": true}` for too many."""
    if sum(len(ids) for ids in announced.values()) > MOST_IDS:
        return json.dumps({"reload": True})
    return json.dumps({topic: sorted(ids) for topic, ids in announced.items()})


def flush(session: Session) -> None:
    """Send what was announced. Called by `transaction()` right before it commits."""
    announced = session.info.pop("announced", None)
    if announced:
        session.connection().execute(
            text("SELECT pg_notify(:channel, :payload)"),
            {"channel": CHANNEL, "payload": payload(announced)},
        )
