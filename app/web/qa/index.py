"""`/qa`: sessions that wait for a reviewer: the next one, or a tab's list."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import qa_queue
from app.web.frame.blueprint import add_labels
from app.web.guards import requires
from app.web.identity import signed_in_user_id
from app.web.qa import labels
from app.web.qa.blueprint import blueprint
from app.web.qa.queue_frame import frame_of, session_id_arg
from app.web.qa.queue_position import requested_position

add_labels(qa_labels=labels)


@blueprint.get("/qa")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    """The next session to check; what has an issue, or is fixed, as a list."""
    position = requested_position()
    if position.tab == "unchecked":
        session_id = qa_queue.next_after(db.session(), position.queue, signed_in_user_id())
        if session_id:
            return redirect(position.address(session_id))
        return render_template("qa/done.html", **frame_of(position))
    cursor = request.args.get("cursor")
    page = qa_queue.list_page(db.session(), position.queue, cursor=cursor)
    return render_template("qa/list.html", page=page, **frame_of(position))


@blueprint.get("/qa/next")
@requires("sessions:read")
def next_one() -> ResponseReturnValue:
    position, after = requested_position(), session_id_arg("after")
    session_id = qa_queue.next_after(db.session(), position.queue, signed_in_user_id(), after)
    was: dict[str, Any] = {"was": request.args["was"]} if "was" in request.args else {}
    if session_id is None:
        return redirect(url_for("qa.index", **position.query, **was))
    return redirect(url_for("qa.one", session_id=session_id, **position.query, **was))


@blueprint.get("/qa/tabs")
@requires("sessions:read")
def tabs() -> ResponseReturnValue:
    """The tabs with how many wait now."""
    is_numbers = "numbers" in request.args
    return render_template("qa/_tabs.html", is_numbers=is_numbers, **frame_of(requested_position()))
