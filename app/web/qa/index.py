"""`/qa`: sessions that wait for a reviewer, one after the other or as a list."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.core.errors import NotFound
from app.reporting import qa_queue, sessions, sites
from app.reporting.qa import review_panel
from app.reporting.transcript import transcript_of
from app.review import qa_looks
from app.web.frame.blueprint import add_labels
from app.web.guards import requires
from app.web.qa import labels as qa_labels
from app.web.qa.blueprint import blueprint
from app.web.qa.forms import Typed, user_id
from app.web.qa.queue_position import TABS, Walk, asked_walk

add_labels(qa_labels=qa_labels)


@blueprint.get("/qa")
@requires("sessions:read")
def index() -> ResponseReturnValue:
    """The next session to check; what has an issue, or is fixed, as a list."""
    walk = asked_walk()
    if walk.tab == "unchecked":
        session_id = qa_queue.next_after(db.session(), walk.queue, user_id())
        if session_id:
            return redirect(walk.address(session_id))
        return render_template("qa/done.html", **frame_of(walk))
    cursor = request.args.get("cursor")
    page = qa_queue.list_page(db.session(), walk.queue, cursor=cursor)
    return render_template("qa/list.html", page=page, **frame_of(walk))


@blueprint.get("/qa/next")
@requires("sessions:read")
def next_one() -> ResponseReturnValue:
    walk, after = asked_walk(), _id("after")
    session_id = qa_queue.next_after(db.session(), walk.queue, user_id(), after)
    was: dict[str, Any] = {"was": request.args["was"]} if "was" in request.args else {}
    if session_id is None:
        return redirect(url_for("qa.index", **walk.query, **was))
    return redirect(url_for("qa.one", session_id=session_id, **walk.query, **was))


@blueprint.get("/qa/<uuid:session_id>")
@requires("sessions:read")
def one(session_id: uuid.UUID) -> ResponseReturnValue:
    try:
        with transaction() as session:
            other = qa_looks.look(session, session_id, user_id())
        return one_page(session_id, asked_walk(), other=other)
    except NotFound as error:
        return on_to_the_next(asked_walk() if "tab" in request.args else None, session_id, error)


@blueprint.get("/qa/<uuid:session_id>/panel")
@requires("sessions:read")
def panel(session_id: uuid.UUID) -> ResponseReturnValue:
    row = sessions.one(db.session(), session_id)
    qa = review_panel(db.session(), row.session)
    back = asked_walk().query if "tab" in request.args else {}
    return render_template("qa/_panel.html", row=row, qa=qa, back=back)


@blueprint.get("/qa/tabs")
@requires("sessions:read")
def tabs() -> ResponseReturnValue:
    """The tabs with how many wait now."""
    is_numbers = "numbers" in request.args
    return render_template("qa/_tabs.html", is_numbers=is_numbers, **frame_of(asked_walk()))


def on_to_the_next(
    walk: Walk | None, session_id: uuid.UUID, error: NotFound
) -> ResponseReturnValue:
    """The session was deleted: whoever walks through the queue is not held up by that."""
    if walk is None:
        raise error
    flash(error.detail)
    return redirect(walk.next_address(session_id))


def one_page(
    session_id: uuid.UUID,
    walk: Walk | None,
    typed: Typed | None = None,
    other: str | None = None,
) -> str:
    """A session with its panel. `typed`: a decision that could not be saved; `other`: who is
    looking at it, too. Raises NotFound.
    """
    row = sessions.one(db.session(), session_id)
    messages = sessions.latest_messages(db.session(), session_id)
    timeline = sessions.timeline(db.session(), session_id)
    return render_template(
        "qa/one.html",
        row=row,
        lines=transcript_of(row, messages.items[::-1], timeline),
        has_earlier=messages.next_cursor is not None,
        qa=review_panel(db.session(), row.session),
        typed=typed,
        other=other,
        back=walk.query if walk else {},
        **frame_of(walk or Walk(row.session.qa_status)),
        is_walk=walk is not None,
    )


def frame_of(walk: Walk) -> dict[str, Any]:
    """What stands above each of these pages: the tabs, the filters, what was decided last. Of a
    session that is not walked to, `walk.tab` may be none of the tabs.
    """
    return {
        "walk": walk,
        "tabs": TABS,
        "left": {
            tab: qa_queue.counted(db.session(), Walk(tab, walk.site, walk.is_completed).queue)
            for tab in TABS
        },
        "most_counted": qa_queue.MOST_COUNTED,
        "sites": sites.list_all(db.session()),
        "was": _was(),
    }


def _was() -> Any:
    session_id = _id("was")
    if session_id is None:
        return None
    found = sessions.by_ids(db.session(), [session_id])
    return (found[0], review_panel(db.session(), found[0].session)) if found else None


def _id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get(name, ""))
    except ValueError:
        return None
