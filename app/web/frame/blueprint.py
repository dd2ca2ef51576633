"""The dashboard's blueprint, and what every page of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import (
    Blueprint,
    get_flashed_messages,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.reporting import notices as standing
from app.web import hooks
from app.web.dashboard.deliveries import labels as delivery_labels
from app.web.dashboard.sites import assistant_labels as assistant_words
from app.web.dashboard.sync import check_labels as check_labels
from app.web.frame import html as looks
from app.web.frame import labels as words
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists import params as queries
from app.web.page_headers import protect
from app.web.qa import labels as qa_labels

blueprint = Blueprint("dashboard", __name__)
blueprint.after_request(protect)


@blueprint.get("/")
@requires("sessions:read")
def overview() -> ResponseReturnValue:
    return redirect(url_for("dashboard.sessions"))


@blueprint.get("/notices")
@requires("sessions:read")
def notices() -> ResponseReturnValue:
    """What every page warns of, for those that are open."""
    return render_template("components/notices.html")


@blueprint.context_processor
def frame() -> dict[str, Any]:
    identity = current_identity()
    return {
        "identity": identity,
        "words": words,
        "delivery_labels": delivery_labels,
        "check_labels": check_labels,
        "back_path": back_path,
        "asked": queries.asked,
        "said_once": said_once,
        "is_catching_up": hooks.is_behind(),
        "assistant_words": assistant_words,
        "qa_labels": qa_labels,
        "warnings": standing.warnings(db.session()) if identity else standing.NONE,
    }


def is_piece() -> bool:
    """Whether an open page asks, to bring parts of itself up to date."""
    return "X-Piece" in request.headers


def said_once() -> Sequence[Any]:
    """What the last move has to say, for the page that a person goes on to."""
    return () if is_piece() else get_flashed_messages(with_categories=True)


def back_path() -> str:
    """The page a form returns to: this one, or the one this is a piece of."""
    kept = {name: value for name, value in queries.asked().items() if name != "ids"}
    pages = {
        "dashboard.delivery_rows": "dashboard.deliveries",
        "dashboard.delivery_personal": "dashboard.delivery",
        "dashboard.save_lead": "dashboard.session",
    }
    page = pages.get(str(request.endpoint))
    page = page or str(request.endpoint).removesuffix("_live")
    return url_for(page, **{**kept, **(request.view_args or {})})


@blueprint.record_once
def add_words_and_looks(state: BlueprintSetupState) -> None:
    state.app.jinja_env.filters.update(
        ago=words.ago,
        until=words.until,
        exact=words.exact,
        day=words.day,
        clock=words.clock_time,
        order=words.order,
        capitalize_first=words.capitalize_first,
    )
    state.app.jinja_env.globals.update(
        icon=looks.icon, status=looks.status, ago=looks.ago, until=looks.until
    )
