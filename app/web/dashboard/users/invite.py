"""`/users/new`: invite a user."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import links, users
from app.core.db import transaction
from app.core.errors import Conflict, Invalid
from app.models.user import ROLES
from app.web import audit
from app.web.dashboard.users import labels
from app.web.dashboard.users.links import hand_over
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import signed_in_user_id


@blueprint.get("/users/new")
@requires("users:write")
def new_user() -> ResponseReturnValue:
    return _invitation({"role": "agent", "how": "mail" if links.are_sent() else "link"})


@blueprint.post("/users")
@requires("users:write")
def invite() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in ("email", "name", "role", "how")}
    try:
        with transaction() as session:
            me = users.get(session, signed_in_user_id())
            user = users.new(
                session,
                email=typed["email"],
                role=typed["role"],
                name=typed["name"],
                timezone=me.timezone,
            )
            hand_over(session, user, by_mail=typed["how"] == "mail", by=me)
            audit.note(session, "user.invited", "user", user.id, role=user.role)
    except Invalid as error:
        return _invitation(typed, error), 422
    except Conflict as error:
        return _invitation(typed, Invalid({"email": [error.detail]})), 422
    return redirect(url_for("dashboard.user", user_id=user.id))


def _invitation(typed: dict[str, str], error: Invalid | None = None) -> str:
    return render_template(
        "dashboard/users/new.html",
        values=typed,
        errors=error.errors if error else {},
        is_mailed=links.are_sent(),
        user_labels=labels,
        roles=ROLES,
    )
