"""The audit log: who did what. Written in the transaction of what was done, and so is told to open
pages that show users, keys, sites and the log itself.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.events import Topic
from app.models import AuditEntry

_TOPIC_OF: dict[str, Topic] = {"user": "users", "key": "keys", "site": "sites"}
#: Entries never change, so that one piece of news tells of them all.
_NEW = "new"


def note(
    session: Session,
    user_id: uuid.UUID | None,
    action: str,
    object_type: str | None = None,
    object_id: object = None,
    *,
    address: str | None = None,
    **details: Any,
) -> None:
    """Add an entry to the caller's transaction.

    `action`: `session.archived`, what was done in the past tense; its words for people are in
    `web/dashboard/audit_labels`. `user_id` None: the command line. `details`: plain JSON values,
    never a visitor's contact details, never a secret.
    """
    session.add(
        AuditEntry(
            at=clock.now(),
            user_id=user_id,
            action=action,
            object_type=object_type,
            object_id=None if object_id is None else str(object_id),
            details=details,
            address=address,
        )
    )
    events.announce(session, "audit", _NEW)
    if object_type in _TOPIC_OF:
        events.announce(session, _TOPIC_OF[object_type], object_id)
