"""One session's page, and the pieces that keep it up to date."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.core.db import db
from app.models import Site
from app.models.site_profile import SiteProfile
from app.reporting import deliveries, sessions
from app.reporting.lead_changes import lead_changes
from app.reporting.people import other_sessions
from app.reporting.qa import review_panel
from app.reporting.search import lead_marks
from app.reporting.sessions import SessionRow
from app.reporting.transcript import transcript_of
from app.web.dashboard.sessions.effects import after_completing, after_reopening
from app.web.dashboard.sessions.lead_form import LeadForm, plain_form
from app.web.dashboard.sessions.timeline import last_decision, shown_events, timeline_of
from app.web.dashboard.sessions.transcript import rows_of
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.lists.filters import read_filters
from app.web.lists.sessions import SESSIONS

#: Messages a page shows at once; more would take longer to draw than to read on from there.
LINES = 100


@blueprint.get("/sessions/<uuid:session_id>")
@requires("sessions:read")
def session(session_id: uuid.UUID) -> ResponseReturnValue:
    return render_session("dashboard/sessions/show.html", session_id)


@blueprint.get("/sessions/<uuid:session_id>/live")
@requires("sessions:read")
def session_live(session_id: uuid.UUID) -> ResponseReturnValue:
    return render_session("dashboard/sessions/_session.html", session_id)


def render_session(template: str, session_id: uuid.UUID, form: LeadForm | None = None) -> str:
    """The page, or its pieces. `form`: the lead's form as somebody has filled it in."""
    database = db.session()
    row = sessions.one(database, session_id)
    cursor = _cursor(session_id)
    page = sessions.latest_messages(database, session_id, limit=LINES, cursor=cursor)
    entries = sessions.timeline(database, session_id)
    sent = deliveries.of_session(database, session_id)
    events = shown_events(entries, sent, [message.id for message in page.items])
    changes = lead_changes(database, row.lead.id) if row.lead else []
    qa = review_panel(database, row.session)
    timeline = timeline_of(row.session, events, changes, qa.history)
    filters = read_filters(SESSIONS)
    newer, older = sessions.neighbours(database, filters.to_filter(), session_id)
    said = transcript_of(row, page.items[::-1], entries, filters.search)
    return render_template(
        template,
        row=row,
        hits=[shown.message.id for shown in said if shown.is_hit],
        lead_marks=partial(lead_marks, words=filters.search),
        lines=rows_of(
            said,
            timeline,
            has_earlier=page.next_cursor is not None,
            has_later=page.previous_cursor is not None,
        ),
        earlier_cursor=page.next_cursor,
        later_cursor=page.previous_cursor,
        timeline=timeline,
        decision=last_decision(row.session, events),
        next_move=(after_reopening if row.session.is_completed else after_completing)(sent),
        deliveries=sent,
        changes=changes,
        form=form or plain_form(site_of(database, row), row.lead),
        others=other_sessions(database, row.session, row.lead),
        qa=qa,
        newer=newer,
        older=older,
        list_query=filters.query,
    )


def site_of(database: Session, row: SessionRow) -> SiteProfile:
    return database.get_one(Site, row.session.site_id).profile()


def list_query() -> dict[str, Any]:
    """The filters of the list one came from: they stay in the address from session to session."""
    return dict(read_filters(SESSIONS).query)


def _cursor(session_id: uuid.UUID) -> str | None:
    """Which piece of the transcript: the one asked for, or the one with the `message` asked for."""
    wanted = request.args.get("message", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        return request.args.get("cursor")
    return sessions.cursor_around(db.session(), session_id, int(wanted))
