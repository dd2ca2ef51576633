"""What users change on their profile: details, theme, password, their own sign-ins."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import profile, users
from app.core.db import db, transaction
from app.core.errors import Invalid, TooMany
from app.models import User
from app.web import audit
from app.web.auth import attempts
from app.web.auth.signed_in import sign_in, sign_out
from app.web.dashboard.profile.show import page
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity, signed_in_user_id

WRONG_PASSWORD = "This is not your password. Please type it again."  # noqa: S105
SAME = "Please type the same password twice."


@blueprint.post("/profile")
@requires("profile:write")
def change_profile() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in ("name", "timezone", "theme")}
    notices = request.form.get("wants_notices") == "yes"
    try:
        with transaction() as session:
            changed = profile.change(session, signed_in_user_id(), **typed, notices=notices)
            if changed:
                audit.note(session, "profile.changed", "user", signed_in_user_id(), fields=changed)
    except Invalid as error:
        return page({**typed, "wants_notices": notices}, error), 422
    flash("Your profile is saved.")
    return _back()


@blueprint.post("/profile/theme")
@requires("profile:write")
def change_theme() -> ResponseReturnValue:
    with transaction() as session:
        profile.set_theme(session, signed_in_user_id(), request.form.get("theme", ""))
    return "", 204


@blueprint.post("/profile/password")
@requires("profile:write")
def change_password() -> ResponseReturnValue:
    """Ends every other sign-in; this one goes on."""
    new = request.form.get("new_password", "")
    if new != request.form.get("again", ""):
        return page(error=Invalid({"again": [SAME]})), 422
    try:
        confirm("old_password")
        with transaction() as session:
            user = users.locked(session, signed_in_user_id())
            users.set_password(session, user, new)
            audit.note(session, "password.changed", "user", user.id)
    except Invalid as error:
        errors = {{"password": "new_password"}.get(k, k): v for k, v in error.errors.items()}
        return page(error=Invalid(errors)), 422
    sign_in(user)
    flash("Your password is changed. You are signed out everywhere else.")
    return _back()


@blueprint.post("/profile/sign-outs")
@requires("profile:write")
def sign_out_everywhere() -> ResponseReturnValue:
    with transaction() as session:
        user = users.locked(session, signed_in_user_id())
        users.end_sign_ins(session, user)
        audit.note(session, "user.signed_out_everywhere", "user", user.id)
    sign_out()
    flash("You are signed out everywhere.")
    return redirect(url_for("auth.sign_in"))


def confirm(field: str) -> User:
    """That it is really the user who asks, by the password typed in this field; wrong ones count
    for this sign-in alone, so that nobody else can keep the user from changing their password.
    Raises Invalid.
    """
    me, identity = users.get(db.session(), signed_in_user_id()), current_identity()
    mine = f"sign-in:{identity.sign_in_id}" if identity else None
    try:
        user = attempts.verified(me.email, request.form.get(field, ""), trusted=mine)
    except TooMany as error:
        raise Invalid({field: [error.detail]}) from error
    if user is None:
        raise Invalid({field: [WRONG_PASSWORD]})
    return user


def _back() -> ResponseReturnValue:
    return redirect(url_for("dashboard.profile"))
