"""`/profile/two-factor`: an authenticator app as the second step of signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import segno
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.accounts import two_factor, users
from app.core.db import db, transaction
from app.core.errors import AppError, Conflict, Invalid
from app.models import User
from app.web import audit
from app.web.auth.signed_in import sign_in
from app.web.dashboard.profile.actions import confirm
from app.web.dashboard.profile.show import page
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import signed_in_user_id

Result = TypeVar("Result")


@blueprint.get("/profile/two-factor", endpoint="two_factor")
@requires("profile:write")
def index() -> ResponseReturnValue:
    """The set-up that was begun: a code to scan, and a field for what the app shows then."""
    return _set_up()


@blueprint.post("/profile/two-factor")
@requires("profile:write")
def begin_two_factor() -> ResponseReturnValue:
    try:
        confirm("set_up_password")
        with transaction() as session:
            two_factor.set_up(users.locked(session, signed_in_user_id()))
    except (Invalid, Conflict) as error:
        return _refused(error)
    return redirect(url_for("dashboard.two_factor"))


@blueprint.post("/profile/two-factor/confirmation")
@requires("profile:write")
def confirm_two_factor() -> ResponseReturnValue:
    """Signs out everywhere else: those sign-ins have seen no code."""
    try:
        with transaction() as session:
            user = users.locked(session, signed_in_user_id())
            codes = two_factor.enable(session, user, request.form.get("code", ""))
            audit.note(session, "two_factor.enabled", "user", user.id)
    except Invalid as error:
        return _set_up(error)
    except Conflict as error:
        return _refused(error)
    sign_in(user)
    return _recovery_codes(codes)


@blueprint.post("/profile/two-factor/removal")
@requires("profile:write")
def remove_two_factor() -> ResponseReturnValue:
    def remove(session: Session, user: User) -> None:
        two_factor.disable(session, user)
        audit.note(session, "two_factor.disabled", "user", user.id)

    try:
        _confirmed(remove)
    except (Invalid, Conflict) as error:
        return _refused(error)
    flash("Two-factor sign-in is off: the password alone is enough now.")
    return redirect(url_for("dashboard.profile"))


@blueprint.post("/profile/recovery-codes")
@requires("profile:write")
def make_recovery_codes() -> ResponseReturnValue:
    def make(session: Session, user: User) -> list[str]:
        audit.note(session, "two_factor.codes_made", "user", user.id)
        return two_factor.new_recovery_codes(session, user)

    try:
        codes = _confirmed(make)
    except (Invalid, Conflict) as error:
        return _refused(error)
    return _recovery_codes(codes)


def _confirmed(change: Callable[[Session, User], Result]) -> Result:
    """Raises Invalid (the password) and Conflict (it is off)."""
    confirm("two_factor_password")
    with transaction() as session:
        user = users.locked(session, signed_in_user_id())
        if user.totp_enabled_at is None:
            raise Conflict("Two-factor sign-in is off already.")
        return change(session, user)


def _set_up(error: Invalid | None = None) -> ResponseReturnValue:
    me = users.get(db.session(), signed_in_user_id())
    secret = two_factor.waiting_secret(me)
    if secret is None:
        return redirect(url_for("dashboard.profile"))
    picture = segno.make(two_factor.address_of(me, secret), error="m")
    shown = render_template(
        "dashboard/profile/two_factor.html",
        picture=picture.svg_data_uri(scale=5, border=4, dark="#000", light="#fff"),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        errors=error.errors if error else {},
    )
    return shown, 422 if error else 200


def _recovery_codes(codes: list[str]) -> ResponseReturnValue:
    return render_template("dashboard/profile/recovery_codes.html", codes=codes)


def _refused(error: AppError) -> ResponseReturnValue:
    if isinstance(error, Invalid):
        return page(error=error), 422
    flash(error.detail, "error")
    return redirect(url_for("dashboard.profile"))
