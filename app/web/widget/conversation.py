"""The widget's JSON: start a session, send a message, catch up."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, request, stream_with_context
from flask.typing import ResponseReturnValue

from app.chat import messages, turn
from app.chat.messages import Conversation
from app.chat.start import start
from app.core.crypto import Signer
from app.core.db import db, transaction
from app.core.errors import AppError, Conflict, NotFound, Unauthenticated
from app.sites.find import find_site
from app.web.body import read_json
from app.web.guards import public
from app.web.rates import rates
from app.web.widget.blueprint import blueprint
from app.web.widget.schemas import (
    CatchUpSchema,
    StartSchema,
    VisitorMessageSchema,
    conversation_json,
    message_json,
    state_json,
)

TOKEN_MAX_AGE_SECONDS = 30 * 24 * 3600
#: Rates are per process unless RATELIMIT_STORAGE_URI names a shared store.
STARTS_PER_ADDRESS = "300/minute"
MESSAGES_PER_SESSION = "60/minute"

start_schema = StartSchema()
message_schema = VisitorMessageSchema()
catch_up_schema = CatchUpSchema()


@blueprint.post("/widget/<site_key>/sessions")
@public
def start_session(site_key: str) -> ResponseReturnValue:
    rates().take(STARTS_PER_ADDRESS, "starts", request.remote_addr or "")
    data = read_json(start_schema)
    with transaction() as session:
        started = start(session, find_site(session, site_key), **data)
    return {
        "session_id": str(started.session_id),
        "token": _signer().sign(str(started.session_id)),
        "visitor_id": started.visitor_id,
        **conversation_json(started.conversation),
    }, 201


@blueprint.post("/widget/sessions/<uuid:session_id>/messages")
@public
def send_message(session_id: uuid.UUID) -> ResponseReturnValue:
    _check_token(session_id)
    rates().take(MESSAGES_PER_SESSION, "messages", str(session_id))
    received = turn.receive(session_id, **read_json(message_schema))
    if request.accept_mimetypes.best == "text/event-stream":
        return Response(
            stream_with_context(_stream(received)),
            mimetype="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    *_, conversation = turn.respond(received)
    assert isinstance(conversation, Conversation)
    return conversation_json(conversation)


@blueprint.get("/widget/sessions/<uuid:session_id>/messages")
@public
def catch_up(session_id: uuid.UUID) -> ResponseReturnValue:
    _check_token(session_id)
    after = catch_up_schema.load(request.args.to_dict())["after"]
    return conversation_json(messages.since(db.session(), session_id, after))


def _stream(received: turn.Received) -> Iterator[str]:
    try:
        yield _event("message", message_json(received.message))
    except GeneratorExit:  # the page was closed before the answer was begun
        turn.finish(received)
        raise
    try:
        for part in turn.respond(received):
            if isinstance(part, str):
                yield _event("delta", {"text": part})
            else:
                for message in part.messages[1:]:
                    yield _event("message", message_json(message))
                yield _event("state", state_json(part))
    except AppError as error:
        status = 409 if isinstance(error, Conflict) else 404
        yield _event("problem", {"status": status, "detail": error.detail})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _signer() -> Signer:
    signer: Signer = current_app.extensions["widget_signer"]
    return signer


def _check_token(session_id: uuid.UUID) -> None:
    """401 without a valid token, 404 with another session's."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated("Please send this chat's token.")
    if _signer().read(token.strip(), TOKEN_MAX_AGE_SECONDS) != str(session_id):
        raise NotFound("There is no such chat.")
