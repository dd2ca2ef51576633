"""What people do with a session on its page: complete it, open it again, archive it, delete it."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.reporting import deliveries, sessions
from app.reporting.qa import review_panel
from app.review.archive import activate, archive
from app.review.completion import complete_by_hand, reopen_by_hand
from app.review.delete import delete_session
from app.web import audit
from app.web.dashboard.deliveries.labels import deliveries_in_words
from app.web.dashboard.sessions.show import list_query
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.post("/sessions/<uuid:session_id>/completion")
@requires("sessions:write")
def complete_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        is_done = complete_by_hand(session, session_id, _user_id())
        if is_done:
            audit.note(session, "session.completed", "session", session_id)
    flash(
        "Marked as completed. The lead is on its way."
        if is_done
        else "It was completed already: nothing more was sent."
    )
    return _back(session_id)


@blueprint.post("/sessions/<uuid:session_id>/reopening")
@requires("sessions:write")
def reopen_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        cancelled = reopen_by_hand(session, session_id, _user_id())
        if cancelled is not None:
            audit.note(session, "session.reopened", "session", session_id, cancelled=cancelled)
    flash(_reopened(cancelled))
    return _back(session_id)


@blueprint.post("/sessions/<uuid:session_id>/archiving")
@requires("sessions:write")
def archive_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        sessions.one(session, session_id)
        moved = archive(session, [session_id], _user_id())
        if moved:
            audit.note(session, "session.archived", "session", session_id)
    flash("Archived." if moved else "It was archived already.")
    return _back(session_id)


@blueprint.post("/sessions/<uuid:session_id>/activation")
@requires("sessions:write")
def activate_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        sessions.one(session, session_id)
        moved = activate(session, [session_id], _user_id())
        if moved:
            audit.note(session, "session.activated", "session", session_id)
    flash("Brought back from the archive." if moved else "It was not archived.")
    return _back(session_id)


@blueprint.get("/sessions/<uuid:session_id>/deletion")
@requires("sessions:delete")
def session_deletion(session_id: uuid.UUID) -> ResponseReturnValue:
    row = sessions.one(db.session(), session_id)
    waiting = [
        each
        for each in deliveries.of_session(db.session(), session_id)
        if each.status in ("pending", "failed")
    ]
    reviews = len(review_panel(db.session(), row.session).history)
    return render_template(
        "dashboard/sessions/delete.html",
        row=row,
        waiting=len(waiting),
        reviews=reviews,
        list_query=list_query(),
    )


@blueprint.post("/sessions/<uuid:session_id>/deletion")
@requires("sessions:delete")
def remove_session(session_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        delete_session(session, session_id, _user_id())
        audit.note(session, "session.deleted", "session", session_id)
    flash("The session is deleted.")
    return redirect(url_for("dashboard.sessions", **list_query()))


def _back(session_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("dashboard.session", session_id=session_id, **list_query()))


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
