"""The letter for whoever forgot their password, written by the worker: asking for it takes equally
long whether or not there is such a user.
"""

from __future__ import annotations

import uuid

from app.accounts import audit, links
from app.core.db import transaction
from app.core.errors import NotFound

#: The name of the job.
SEND_FORGOTTEN = "send_forgotten"


def send(user_id: str) -> bool:
    """Whether a letter was written. `user_id`: a user's, or empty when the e-mail is nobody's."""
    if not user_id:
        return False
    try:
        with transaction() as session:
            is_sent = links.send_forgotten(session, uuid.UUID(user_id))
            if is_sent:
                audit.note(session, uuid.UUID(user_id), "password.forgotten", "user", user_id)
    except NotFound:
        return False
    return is_sent
