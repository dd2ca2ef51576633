"""The floor a turn is measured against: a bare Flask view with one psycopg2 connection a thread.

Nothing but what storing a message and a reply must cost: lock the session's row, insert, update,
commit; and the same again.
"""

from __future__ import annotations

import threading

import psycopg2
from flask import Flask, request

from config import Settings

app = Flask(__name__)
address = Settings.load().libpq_url
own = threading.local()

LOCK = "SELECT completion_status FROM chat_sessions WHERE id = %s FOR UPDATE"
INSERT = "INSERT INTO messages (session_id, role, text, created_at) VALUES (%s, %s, %s, now())"
UPDATE = (
    "UPDATE chat_sessions SET message_count = message_count + 1, last_message_at = now()"
    " WHERE id = %s"
)


@app.post("/widget/sessions/<session_id>/messages")
def turn(session_id: str) -> dict[str, str]:
    if not hasattr(own, "connection"):
        own.connection = psycopg2.connect(address)
    cursor = own.connection.cursor()
    for role, words in (("visitor", request.get_json()["text"]), ("assistant", "Thank you.")):
        cursor.execute(LOCK, (session_id,))
        cursor.execute(INSERT, (session_id, role, words))
        cursor.execute(UPDATE, (session_id,))
        own.connection.commit()
    return {"text": "Thank you."}
