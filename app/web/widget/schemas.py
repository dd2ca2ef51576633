"""What the widget may send, and how it is answered."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Range

from app.chat.messages import Conversation, StoredMessage
from app.core import clock
from app.web.body import PlainText, Uuid

LONGEST_ADDRESS = 2000
LARGEST_ID = 2**63 - 1


class PageSchema(Schema):
    url = PlainText(longest=LONGEST_ADDRESS)
    title = PlainText(longest=500)
    referrer = PlainText(longest=LONGEST_ADDRESS)
    first_url = PlainText(longest=LONGEST_ADDRESS)
    first_referrer = PlainText(longest=LONGEST_ADDRESS)


class StartSchema(Schema):
    visitor_id = PlainText(longest=64, may_be_empty=False, load_default=None)
    page = fields.Nested(PageSchema, load_default=dict)
    locale = PlainText(longest=35, load_default=None)
    timezone = PlainText(longest=64, load_default=None)


class VisitorMessageSchema(Schema):
    client_id = Uuid(required=True, error_messages={"required": "Please send a UUID."})
    text = PlainText(
        longest=4000,
        may_be_empty=False,
        required=True,
        error_messages={"required": "Please write something."},
    )


class CatchUpSchema(Schema):
    after = fields.Integer(
        load_default=0,
        validate=Range(0, LARGEST_ID, error="Please send a message id, or 0."),
        error_messages={"invalid": "Please send a message id, or 0."},
    )


def message_json(message: StoredMessage) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": message.id,
        "role": message.role,
        "text": message.text,
        "created_at": clock.iso(message.created_at),
    }
    if message.client_id is not None:
        data["client_id"] = str(message.client_id)
    return data


def state_json(conversation: Conversation) -> dict[str, Any]:
    return {"input": conversation.input, "completion_status": conversation.completion_status}


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    data = {
        "messages": [message_json(message) for message in conversation.messages],
        **state_json(conversation),
    }
    if conversation.has_more:
        data["more"] = True
    return data
