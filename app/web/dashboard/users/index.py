"""`/users`: who may sign in, and as what; inviting somebody; one user with what can be done."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.accounts import links, two_factor, users
from app.core.crypto import seal, unseal
from app.core.db import db, transaction
from app.core.errors import Conflict, Invalid
from app.models import User
from app.models.user import ROLES
from app.reporting import users as reporting
from app.web import audit
from app.web.dashboard.users import labels as user_labels
from app.web.frame.blueprint import blueprint, is_partial_request
from app.web.frame.live import SCOPE_OF
from app.web.guards import requires
from app.web.identity import current_identity

#: Where the cookie keeps whose link there is to be shown, and the link, sealed.
_LINK = "new_link"
SCOPE_OF["users"] = "users:write"


@blueprint.get("/users", endpoint="users")
@requires("users:write")
def index() -> ResponseReturnValue:
    cursor = request.args.get("cursor")
    page = reporting.list_page(db.session(), cursor=cursor)
    return render_template("dashboard/users/index.html", page=page, user_labels=user_labels)


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
            me = users.get(session, my_id())
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


@blueprint.get("/users/<uuid:user_id>")
@requires("users:write")
def user(user_id: uuid.UUID) -> ResponseReturnValue:
    """A link that was just made is shown once: on the way here it is in the cookie, sealed."""
    found = users.get(db.session(), user_id)
    link_user_id, link = cookie.get(_LINK, ("", ""))
    is_asked_for = link_user_id == str(user_id) and not is_partial_request()
    new_link = unseal(link) if is_asked_for else None
    if new_link:
        cookie.pop(_LINK)
    return render_template(
        "dashboard/users/show.html",
        user=found,
        is_me=found.id == my_id(),
        new_link=new_link,
        open_link=reporting.open_link(db.session(), found.id),
        codes_left=two_factor.recovery_codes_left(db.session(), found.id),
        is_mailed=links.are_sent(),
        roles=ROLES,
        user_labels=user_labels,
    )


def hand_over(session: Session, user: User, *, by_mail: bool, by: User) -> None:
    """Send the user, locked by the caller, a new link; or keep it, to be shown on the next page."""
    purpose: links.Purpose = "invite" if user.is_invited else "reset"
    if by_mail and links.are_sent():
        links.send(session, user, purpose, by=by)
        flash(f"A letter with a link is on its way to {user.email}.")
    else:
        cookie[_LINK] = [str(user.id), seal(links.make(session, user, purpose, by.id))]


def my_id() -> uuid.UUID:
    identity = current_identity()
    assert identity is not None
    assert identity.user_id is not None
    return identity.user_id


def _invitation(typed: dict[str, str], error: Invalid | None = None) -> str:
    return render_template(
        "dashboard/users/new.html",
        values=typed,
        errors=error.errors if error else {},
        is_mailed=links.are_sent(),
        user_labels=user_labels,
        roles=ROLES,
    )
