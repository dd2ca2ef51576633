"""Many sessions are archived or brought back at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.review.archive import activate, archive
from app.web.audit import note
from app.web.frame.addresses import local_path
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.params import read_ids

Move = Callable[[Session, Collection[uuid.UUID], uuid.UUID | None], list[uuid.UUID]]


@blueprint.post("/sessions/archive")
@requires("sessions:write")
def archive_sessions() -> ResponseReturnValue:
    return _move(archive, "session.archived", "archived")


@blueprint.post("/sessions/activation")
@requires("sessions:write")
def activate_sessions() -> ResponseReturnValue:
    return _move(activate, "session.activated", "brought back")


def _move(move: Move, action: str, done: str) -> ResponseReturnValue:
    identity, requested = current_identity(), set(read_ids(request.form.getlist("ids")))
    with transaction() as session:
        moved = move(session, requested, identity.user_id if identity else None)
        for session_id in moved:
            note(session, action, "session", session_id)
    outcome = _outcome(len(requested), len(moved), done)
    # The list's own script stays on its page, and shows the sentence itself.
    if request.accept_mimetypes.best == "text/plain":
        return Response(outcome, mimetype="text/plain")
    flash(outcome)
    return redirect(local_path(request.form.get("back")))


def _outcome(requested: int, moved: int, done: str) -> str:
    if not requested:
        return "Nothing was selected. Please tick the sessions first."
    if not moved:
        return f"Nothing was changed: {'it was' if requested == 1 else 'they were'} {done} already."
    text = f"{moved} session{'' if moved == 1 else 's'} {done}."
    if left := requested - moved:
        text += " One was" if left == 1 else f" {left} were"
        text += " already, or is gone." if left == 1 else " already, or are gone."
    return text
