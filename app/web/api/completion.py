"""`/api/v1/sessions/<id>`: completed by hand, opened again, deleted. Each may be repeated."""

from __future__ import annotations

import uuid

from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.core.db import transaction
from app.review.completion import complete_by_hand, reopen_by_hand
from app.review.delete import delete_session
from app.web.api.blueprint import blueprint, caller, query
from app.web.audit import note_person
from app.web.guards import requires


@blueprint.put("/sessions/<uuid:session_id>/completion")
@requires("sessions:write")
def complete_session(session_id: uuid.UUID) -> ResponseReturnValue:
    query(Schema())
    with transaction() as session:
        if complete_by_hand(session, session_id, caller().user_id):
            note_person(session, "session.completed", "session", session_id)
    return "", 204


@blueprint.delete("/sessions/<uuid:session_id>/completion")
@requires("sessions:write")
def reopen_session(session_id: uuid.UUID) -> ResponseReturnValue:
    query(Schema())
    with transaction() as session:
        cancelled = reopen_by_hand(session, session_id, caller().user_id)
        if cancelled is not None:
            note_person(session, "session.reopened", "session", session_id, cancelled=cancelled)
    return "", 204


@blueprint.delete("/sessions/<uuid:session_id>")
@requires("sessions:delete")
def remove_session(session_id: uuid.UUID) -> ResponseReturnValue:
    query(Schema())
    with transaction() as session:
        delete_session(session, session_id, caller().user_id)
        note_person(session, "session.deleted", "session", session_id)
    return "", 204
