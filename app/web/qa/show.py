"""`/qa/<session>`: one session with its review panel."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.core.errors import NotFound
from app.reporting import sessions
from app.reporting.qa import review_panel
from app.reporting.transcript import transcript_of
from app.review import qa_looks
from app.web.guards import requires
from app.web.identity import signed_in_user_id
from app.web.qa.blueprint import blueprint
from app.web.qa.forms import RejectedDecision
from app.web.qa.queue_frame import frame_of
from app.web.qa.queue_position import QueuePosition, requested_position


@blueprint.get("/qa/<uuid:session_id>")
@requires("sessions:read")
def one(session_id: uuid.UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            other = qa_looks.look(session, session_id, signed_in_user_id())
        return one_page(session_id, requested_position(), other=other)
    except NotFound as error:
        return on_to_the_next(
            requested_position() if "tab" in request.args else None, session_id, error
        )


@blueprint.get("/qa/<uuid:session_id>/panel")
@requires("sessions:read")
def panel(session_id: uuid.UUID) -> ResponseReturnValue:
    row = sessions.one(db.session(), session_id)
    qa = review_panel(db.session(), row.session)
    back = requested_position().query if "tab" in request.args else {}
    return render_template("qa/_panel.html", row=row, qa=qa, back=back)


def on_to_the_next(
    position: QueuePosition | None, session_id: uuid.UUID, error: NotFound
) -> ResponseReturnValue:
    """The session was deleted: whoever walks through the queue is not held up by that."""
    if position is None:
        raise error
    flash(error.detail)
    return redirect(position.next_address(session_id))


def one_page(
    session_id: uuid.UUID,
    position: QueuePosition | None,
    typed: RejectedDecision | None = None,
    other: str | None = None,
) -> str:
    """A session with its panel. `typed`: a decision that could not be saved; `other`: who is
    looking at it, too. Raises NotFound.
    """
    row = sessions.one(db.session(), session_id)
    messages = sessions.latest_messages(db.session(), session_id)
    timeline = sessions.timeline(db.session(), session_id)
    return render_template(
        "qa/show.html",
        row=row,
        lines=transcript_of(row, messages.items[::-1], timeline),
        has_earlier=messages.next_cursor is not None,
        qa=review_panel(db.session(), row.session),
        typed=typed,
        other=other,
        back=position.query if position else {},
        **frame_of(position or QueuePosition(row.session.qa_status)),
        is_in_queue=position is not None,
    )
