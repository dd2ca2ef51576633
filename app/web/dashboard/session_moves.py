"""What people do with a session on its page: complete it, open it again, delete it."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.reporting import deliveries, sessions
from app.review.completion import complete_by_hand, reopen_by_hand
from app.review.delete import delete_session
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.timeline import deliveries_in_words
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.post("/sessions/<uuid:session_id>/completion")
@requires("sessions:write")
def complete_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        is_done = complete_by_hand(session, session_id, _user_id())
    flash(
        "Marked as completed. The lead is on its way."
        if is_done
        else "It was completed already: nothing more was sent."
    )
    return redirect(url_for("dashboard.session", session_id=session_id))


@blueprint.post("/sessions/<uuid:session_id>/reopening")
@requires("sessions:write")
def reopen_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        cancelled = reopen_by_hand(session, session_id, _user_id())
    flash(_reopened(cancelled))
    return redirect(url_for("dashboard.session", session_id=session_id))


@blueprint.get("/sessions/<uuid:session_id>/deletion")
@requires("sessions:delete")
def session_deletion(session_id: uuid.UUID) -> ResponseReturnValue:
    row = sessions.one(db.session(), session_id)
    waiting = [
        each
        for each in deliveries.of_session(db.session(), session_id)
        if each.status in ("pending", "failed")
    ]
    return render_template("sessions/delete.html", row=row, waiting=len(waiting))


@blueprint.post("/sessions/<uuid:session_id>/deletion")
@requires("sessions:delete")
def remove_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        delete_session(session, session_id, _user_id())
    flash("The session is deleted.")
    return redirect(url_for("dashboard.sessions"))


def _reopened(cancelled: int | None) -> str:
    if cancelled is None:
        return "It was open already: nothing was changed."
    if not cancelled:
        return "Opened again. Nothing was waiting to be sent."
    verb = "was" if cancelled == 1 else "were"
    what = f"{deliveries_in_words(cancelled)} {verb} cancelled"
    return f"Opened again. {what}, unless it is arriving this very moment."


def _user_id() -> uuid.UUID | None:
    identity = current_identity()
    return identity.user_id if identity else None
