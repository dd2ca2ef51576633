"""What a reviewer decides, on a session's page or on the way through the queue."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotFound
from app.review import qa
from app.web import audit
from app.web.frame.addresses import query_args
from app.web.guards import requires
from app.web.identity import signed_in_user_id
from app.web.qa import forms, labels
from app.web.qa.blueprint import blueprint
from app.web.qa.queue_position import submitted_position
from app.web.qa.show import on_to_the_next, one_page


@blueprint.post("/sessions/<uuid:session_id>/qa")
@requires("sessions:write")
def decide(session_id: uuid.UUID) -> ResponseReturnValue:
    sent, position = forms.decision(), submitted_position()
    try:
        with transaction() as session:
            made = qa.move(
                session,
                session_id,
                signed_in_user_id(),
                sent,
                expected_status=request.form.get("expected_status", ""),
            )
            if made.is_new:
                to = made.move.to_status
                audit.note(session, "session.qa_moved", "session", session_id, to=to)
    except Invalid as error:
        typed = forms.rejected(sent, errors=error.errors)
        return one_page(session_id, position, typed), 422
    except Conflict as error:
        if position and not sent.note:  # nothing is lost: on to the next one
            flash(error.detail)
            return redirect(position.next_address(session_id))
        return one_page(session_id, position, forms.rejected(sent, conflict=error.detail)), 409
    except NotFound as error:
        return on_to_the_next(position, session_id, error)
    if position:  # the next page says what was decided, and offers to undo it
        return redirect(position.next_address(session_id, decided=True))
    flash(labels.DONE[sent.to_status])
    return redirect(_session(session_id))


@blueprint.post("/sessions/<uuid:session_id>/qa/undo")
@requires("sessions:write")
def undo(session_id: uuid.UUID) -> ResponseReturnValue:
    position = submitted_position()
    try:
        with transaction() as session:
            undone = qa.undo(session, session_id, signed_in_user_id(), forms.move_id())
            if undone.is_new:
                was = undone.move.to_status
                audit.note(session, "session.qa_undone", "session", session_id, was=was)
    except NotFound as error:
        return on_to_the_next(position, session_id, error)
    except Conflict as error:
        flash(error.detail)
    else:
        flash("Your decision is taken back.")
    return redirect(position.address(session_id) if position else _session(session_id))


def _session(session_id: uuid.UUID) -> str:
    """Its page, in the list one came from."""
    query: dict[str, Any] = {**query_args(), "session_id": session_id}
    return url_for("dashboard.session", **query, _anchor="qa")
