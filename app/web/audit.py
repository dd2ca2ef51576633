"""What a signed-in person does, noted in the transaction that does it."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.accounts import audit
from app.web.identity import current_identity


def note(
    session: Session,
    action: str,
    object_type: str | None = None,
    object_id: object = None,
    **details: Any,
) -> None:
    """`accounts.audit.note` by whoever is asking now, from their address."""
    identity = current_identity()
    audit.note(
        session,
        identity.user_id if identity else None,
        action,
        object_type,
        object_id,
        address=request.remote_addr,
        **details,
    )


def note_person(
    session: Session, action: str, object_type: str, object_id: object = None, **details: Any
) -> None:
    """As `note`, where programs may ask, too. What one does with its key is no person's doing, and
    stands with the session or the run itself.
    """
    identity = current_identity()
    if identity is not None and identity.user_id is not None:
        note(session, action, object_type, object_id, **details)
