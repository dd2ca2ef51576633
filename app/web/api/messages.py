"""`/api/v1`: conversations that other programs write."""

from __future__ import annotations

import uuid
from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf

from app.chat.ingest import Channel, Incoming, Ingested, Outside, ingest, session_key_of
from app.completion import layers
from app.core import clock
from app.core.db import db, transaction
from app.core.errors import NotFound
from app.models import ChatSession
from app.models.chat_session import CHANNELS
from app.models.message import ROLES
from app.reporting import sessions
from app.sites.find import meant_site
from app.web.api.blueprint import blueprint, caller
from app.web.api.fields import Moment, StoredText
from app.web.api.schemas import SessionSchema
from app.web.body import PlainText, read_json, takes_up_to
from app.web.guards import requires

MOST_MESSAGES = 500
LARGEST_BODY_BYTES = 12 * 1024 * 1024
LONGEST_ID = 255


class NewMessage(Schema):
    external_id = StoredText(required=True, validate=Length(1, LONGEST_ID))
    role = fields.String(required=True, validate=OneOf(ROLES))
    text = PlainText(required=True, longest=20_000, may_be_empty=False)
    created_at = Moment(load_default=None)


class NewMessages(Schema):
    channel = fields.String(required=True, validate=OneOf(CHANNELS))
    external_session_id = StoredText(required=True, validate=Length(1, LONGEST_ID))
    site = StoredText(load_default=None, validate=Length(max=100))
    messages = fields.List(
        fields.Nested(NewMessage),
        required=True,
        validate=Length(1, MOST_MESSAGES, error=f"Please send 1 to {MOST_MESSAGES} messages."),
    )


class NewSession(Schema):
    channel = fields.String(required=True, validate=OneOf(CHANNELS))
    external_session_id = StoredText(load_default=None, validate=Length(1, LONGEST_ID))
    site = StoredText(load_default=None, validate=Length(max=100))


@blueprint.post("/messages")
@requires("sessions:write")
@takes_up_to(LARGEST_BODY_BYTES)
def add_messages() -> ResponseReturnValue:
    given = read_json(NewMessages(), LARGEST_BODY_BYTES)
    with transaction() as session:
        site_id = meant_site(session, given["site"], caller().site_id)
        key = session_key_of(given["external_session_id"])
        done = _store(site_id, given["channel"], key, given["messages"])
        return _answer(done)


@blueprint.post("/sessions")
@requires("sessions:write")
def add_session() -> ResponseReturnValue:
    given = read_json(NewSession())
    with transaction() as session:
        site_id = meant_site(session, given["site"], caller().site_id)
        key = session_key_of(given["external_session_id"] or str(uuid.uuid4()))
        done = _store(site_id, given["channel"], key, [])
    found = sessions.one(db.session(), _only(done))
    answer: dict[str, object] = SessionSchema().dump(found)
    return answer, 201 if done.sessions_created else 200


@blueprint.post("/sessions/<uuid:session_id>/messages")
@requires("sessions:write")
def add_message(session_id: uuid.UUID) -> ResponseReturnValue:
    given = read_json(NewMessage())
    with transaction() as session:
        chat = session.get(ChatSession, session_id)
        if chat is None:
            raise NotFound("There is no session with this id. It may have been deleted.")
        done = _store(chat.site_id, chat.channel, str(session_id), [given])
        return _answer(done), 201 if done.messages_added else 200


def _store(
    site_id: uuid.UUID, channel: Channel | str, key: str, messages: list[dict[str, Any]]
) -> Ingested:
    """In the transaction that is open. A pushed message is judged as it arrives."""
    now = clock.now()
    lines = [
        Incoming(
            role=each["role"],
            text=each["text"],
            external_id=each["external_id"],
            said_at=each["created_at"] and min(each["created_at"], now),
        )
        for each in messages
    ]
    cause = "live" if layers.is_active("live") else "auto_sync"
    done = ingest(
        db.session(),
        [Outside(site_id, channel, key, lines)],  # type: ignore[arg-type]
        cause=cause,
    )
    own_site = caller().site_id
    if own_site is not None:
        chat = db.session().get_one(ChatSession, _only(done))
        if chat.site_id != own_site:
            raise NotFound("There is no session with this id. It may have been deleted.")
    return done


def _only(done: Ingested) -> uuid.UUID:
    if not done.sessions:
        raise NotFound("This session was deleted here, so nothing more is added to it.")
    return next(iter(done.sessions.values()))


def _answer(done: Ingested) -> dict[str, Any]:
    session_id = _only(done)
    status = db.session().get_one(ChatSession, session_id, populate_existing=True)
    return {
        "session_id": str(session_id),
        "stored": done.messages_added,
        "duplicates": done.duplicates,
        "completion_status": status.completion_status,
    }
