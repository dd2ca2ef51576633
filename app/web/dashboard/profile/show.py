"""`/profile`: the page where users change what concerns themselves."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from app.accounts import two_factor, users
from app.core.db import db
from app.core.errors import Invalid
from app.models.user import THEMES
from app.web.dashboard.profile.time_zones import time_zones
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import signed_in_user_id


@blueprint.get("/profile", endpoint="profile")
@requires("profile:write")
def index() -> ResponseReturnValue:
    return page()


def page(values: dict[str, object] | None = None, error: Invalid | None = None) -> str:
    """The profile with what was typed, and what is wrong with it."""
    me = users.get(db.session(), signed_in_user_id())
    stored = {name: getattr(me, name) for name in ("name", "timezone", "theme", "wants_notices")}
    return render_template(
        "dashboard/profile/show.html",
        me=me,
        values={**stored, **(values or {})},
        errors=error.errors if error else {},
        themes=THEMES,
        time_zones=time_zones(),
        codes_left=two_factor.recovery_codes_left(db.session(), me.id),
    )
