"""The widget's JSON: start a session, send a message, catch up."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response, make_response, request, stream_with_context
from flask.typing import ResponseReturnValue

from app.chat import messages, turn
from app.chat.messages import Conversation
from app.chat.start import start
from app.chat.wait_slots import MOST_WAITING, too_many
from app.core.db import db, transaction
from app.core.errors import AppError, Conflict
from app.core.gate import OwnerLimit, long_requests
from app.sites.find import find_site
from app.web.body import read_json
from app.web.guards import public
from app.web.widget import limits
from app.web.widget.blueprint import blueprint
from app.web.widget.schemas import (
    CatchUpSchema,
    StartSchema,
    VisitorMessageSchema,
    conversation_json,
    message_json,
    state_json,
)
from app.web.widget.tokens import TOKEN_MAX_AGE_SECONDS, check_token, make_token

__all__ = ["TOKEN_MAX_AGE_SECONDS", "blueprint"]

start_schema = StartSchema()
message_schema = VisitorMessageSchema()
catch_up_schema = CatchUpSchema()
#: The one that answers and those that may wait for it. Over all processes the database counts; this
#: one keeps a burst away from it.
messages_at_once = OwnerLimit(1 + MOST_WAITING, too_many())


@blueprint.post("/widget/<site_key>/sessions")
@public
def start_session(site_key: str) -> ResponseReturnValue:
    limits.take_start_of_address()
    data = read_json(start_schema)
    with transaction() as session:
        site = find_site(session, site_key)
        limits.take_start_of_site(site.id)
        started = start(session, site, **data)
    return {
        "session_id": str(started.session_id),
        "token": make_token(started.session_id, site.id),
        "visitor_id": started.visitor_id,
        **conversation_json(started.conversation),
    }, 201


@blueprint.post("/widget/sessions/<uuid:session_id>/messages")
@public
def send_message(session_id: uuid.UUID) -> ResponseReturnValue:
    site_id = check_token(session_id)
    limits.take_message(session_id, site_id)
    said = read_json(message_schema)
    with ExitStack() as held:
        held.enter_context(messages_at_once.enter(session_id))
        if not turn.is_quick(site_id):
            held.enter_context(long_requests.enter(site_id))
        received = turn.receive(session_id, **said)
        if request.accept_mimetypes.best == "text/event-stream":
            response = Response(
                stream_with_context(_stream(received)),
                mimetype="text/event-stream",
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
            response.call_on_close(held.pop_all().close)
            return response
        *_, conversation = turn.respond(received)
    assert isinstance(conversation, Conversation)
    return conversation_json(conversation)


@blueprint.get("/widget/sessions/<uuid:session_id>/messages")
@public
def catch_up(session_id: uuid.UUID) -> ResponseReturnValue:
    check_token(session_id)
    limits.take_reading(session_id)
    after = catch_up_schema.load(request.args.to_dict())["after"]
    response = make_response(conversation_json(messages.since(db.session(), session_id, after)))
    limits.take_bytes_read(session_id, response.content_length or 0)
    return response


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
        problem = {"status": status, "detail": error.detail}
        if error.retry_after_seconds is not None:
            problem["retry_after"] = error.retry_after_seconds
        yield _event("problem", problem)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
