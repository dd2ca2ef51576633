"""`/api/v1/sessions`: the list, one session, its messages."""

from __future__ import annotations

import uuid

from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.core.db import db
from app.reporting import sessions
from app.reporting.sessions import SessionFilter
from app.web.api.blueprint import blueprint, caller, query
from app.web.api.schemas import MessageSchema, PageQuery, SessionQuery, SessionSchema, page
from app.web.guards import requires


@blueprint.get("/sessions", endpoint="sessions")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    asked = query(SessionQuery())
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
