"""How a manual sync stands, in a receptionist's words."""

from __future__ import annotations

from app.runs import engine

SENTENCE = {
    "waiting": "It begins as soon as a worker is free. You can leave this page.",
    "running": "You can leave this page and come back to it.",
    "interrupted": "Its process stopped half-way. What was found until then is kept."
    " Go on, and it continues where it was.",
    "done": "Everything was looked at.",
    "cancelled": "It was cancelled. What was found until then is kept.",
}
NO_WORKER = "No worker is running, so nobody can begin. Please start one: flask worker"
#: What a report counts, in words.
COUNTS = {
    "rows_read": "Rows read",
    "sessions_created": "New sessions",
    "messages_added": "New messages",
    "completions_found": "Bookings found",
    "leads_created": "New leads",
    "deliveries_enqueued": "Leads being sent on",
    "set_aside": "Rows set aside",
}
state = engine.state
