"""One session's page, and the pieces that keep it up to date."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import deliveries, sessions
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.timeline import (
    after_completing,
    after_reopening,
    last_decision,
    shown_events,
)
from app.web.dashboard.transcript import transcript_of
from app.web.guards import requires


@blueprint.get("/sessions/<uuid:session_id>")
@requires("sessions:read")
def session(session_id: uuid.UUID) -> ResponseReturnValue:
    return _render("sessions/show.html", session_id)


@blueprint.get("/sessions/<uuid:session_id>/live")
@requires("sessions:read")
def session_live(session_id: uuid.UUID) -> ResponseReturnValue:
    return _render("sessions/_session.html", session_id)


def _render(template: str, session_id: uuid.UUID) -> str:
    row = sessions.one(db.session(), session_id)
    page = sessions.latest_messages(db.session(), session_id, cursor=_cursor(session_id))
    timeline = sessions.timeline(db.session(), session_id)
    sent = deliveries.of_session(db.session(), session_id)
    events = shown_events(timeline, sent, [message.id for message in page.items])
    return render_template(
        template,
        row=row,
        transcript=transcript_of(row, page.items[::-1], timeline),
        earlier_cursor=page.next_cursor,
        later_cursor=page.previous_cursor,
        events=events,
        decision=last_decision(row.session, events),
        next_move=(after_reopening if row.session.is_completed else after_completing)(sent),
        deliveries=sent,
    )


def _cursor(session_id: uuid.UUID) -> str | None:
    """Which piece of the transcript: the one asked for, or the one with the `message` asked for."""
    wanted = request.args.get("message", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        return request.args.get("cursor")
    return sessions.cursor_around(db.session(), session_id, int(wanted))
