"""Something for the health check to find."""

from __future__ import annotations

from app.core.db import transaction
from tests.factories import make_chat, make_message

WARNING = "The last check found something wrong."


def break_something() -> str:
    with transaction() as session:
        chat = make_chat(session)
        chat.last_message_at = make_message(session, chat).created_at
        chat.message_count = 17
        return str(chat.id)
