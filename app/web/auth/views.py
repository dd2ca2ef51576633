"""`/login`, its second step `/login/code`, and `/logout`."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import two_factor
from app.core.errors import TooMany
from app.models import User
from app.web.auth import attempts, second_step
from app.web.auth.blueprint import blueprint
from app.web.auth.forms import CodeForm, SignInForm
from app.web.auth.signed_in import sign_in as start_session
from app.web.auth.signed_in import sign_out as end_session
from app.web.frame.addresses import local_path
from app.web.guards import public
from app.web.identity import current_identity

WRONG = "This e-mail and password do not go together. Please check both."


@blueprint.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm(formdata=request.form, next=request.args.get("next", ""))
    if current_identity() is not None:
        return redirect(local_path(form.next.data))
    if request.method == "POST" and form.validate():
        try:
            user = attempts.verified(form.email.data, form.password.data)
        except TooMany as error:
            form.password.errors = [error.detail]
            return render_template("auth/sign_in.html", form=form), 429, _wait(error)
        if user is not None and (answer := _go_on(user, local_path(form.next.data))):
            return answer
        form.password.errors = [WRONG]
    return render_template("auth/sign_in.html", form=form), 422 if form.errors else 200


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
def second() -> ResponseReturnValue:
    """The second step: whoever comes here has given the right password a moment ago."""
    form, pending = CodeForm(formdata=request.form), second_step.pending()
    if pending is None:
        return redirect(url_for("auth.sign_in"))
    if request.method == "POST" and form.validate():
        try:
            means = attempts.second_step(pending.user, form.code.data)
        except TooMany as error:
            form.code.errors = [error.detail]
            return render_template("auth/code.html", form=form), 429, _wait(error)
        if means is not None and attempts.done(pending.user, second_step=means):
            start_session(pending.user)
            return redirect(pending.next)
        form.code.errors = [two_factor.WRONG_CODE]
    return render_template("auth/code.html", form=form), 422 if form.errors else 200


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    end_session()
    return redirect(url_for("auth.sign_in"))


def _go_on(user: User, path: str) -> ResponseReturnValue | None:
    """A right password is all it takes, unless the user has an authenticator app. None when it was
    changed meanwhile.
    """
    if user.totp_enabled_at is not None:
        second_step.remember(user, path)
        return redirect(url_for("auth.second"))
    if not attempts.done(user):
        return None
    start_session(user)
    return redirect(path)


def _wait(error: TooMany) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after_seconds)}
