"""`/api/v1/sessions`: the list, one session with its messages; complete, reopen, delete."""

from __future__ import annotations

import uuid

from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.core.db import db, transaction
from app.reporting import sessions
from app.reporting.sessions import SessionFilter
from app.review.completion import complete_by_hand, reopen_by_hand
from app.review.delete import delete_session
from app.web.api.blueprint import blueprint, caller, query
from app.web.api.lists import PageQuery, page, query_schema
from app.web.api.schemas import MessageSchema, SessionSchema
from app.web.audit import note_person
from app.web.guards import requires
from app.web.lists.sessions import SESSIONS

session_query = query_schema(SESSIONS)


@blueprint.get("/sessions", endpoint="sessions")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    asked = query(session_query)
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    wanted = SessionFilter(**asked, site_id=caller().site_id)
    found = sessions.list_page(db.session(), wanted, limit=limit, cursor=cursor)
    return page(SessionSchema(), found)


@blueprint.get("/sessions/<uuid:session_id>")
@requires("sessions:read")
def session(session_id: uuid.UUID) -> ResponseReturnValue:
    query(Schema())
    answer: dict[str, object] = SessionSchema().dump(sessions.one(db.session(), session_id))
    return answer


@blueprint.get("/sessions/<uuid:session_id>/messages")
@requires("sessions:read")
def messages(session_id: uuid.UUID) -> ResponseReturnValue:
    asked = query(PageQuery())
    return page(MessageSchema(), sessions.messages_page(db.session(), session_id, **asked))


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
