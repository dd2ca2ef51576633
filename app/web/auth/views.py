"""`/login` and `/logout`."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from app.accounts import users
from app.core import clock
from app.core.db import transaction
from app.models import User
from app.web.auth.forms import SignInForm
from app.web.auth.signed_in import sign_in as start_session
from app.web.auth.signed_in import sign_out as end_session
from app.web.guards import public
from app.web.identity import current_identity
from app.web.page_headers import protect
from app.web.rates import rates

blueprint = Blueprint("auth", __name__)
blueprint.after_request(protect)

WRONG = "This e-mail and password do not go together. Please check both."
#: Failed ones, per address.
SIGN_INS = "10/minute"
STALE = "This page was open for too long. Please go back, load it again and repeat your last step."


@blueprint.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm(formdata=request.form, next=request.args.get("next", ""))
    if current_identity() is not None:
        return redirect(local_path(form.next.data))
    if request.method == "POST" and form.validate():
        rates().check(SIGN_INS, "sign-in", request.remote_addr or "")
        if user := _verified(form):
            start_session(user)
            return redirect(local_path(form.next.data))
        rates().take(SIGN_INS, "sign-in", request.remote_addr or "")
        form.password.errors = [WRONG]
    return render_template("auth/sign_in.html", form=form), 422 if form.errors else 200


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    end_session()
    return redirect(url_for("auth.sign_in"))


@blueprint.after_app_request
def protect_problem(response: Response) -> Response:
    """The page for an unknown address belongs to no blueprint."""
    is_page = request.blueprint is None and response.mimetype == "text/html"
    return protect(response) if is_page else response


@blueprint.app_errorhandler(CSRFError)
def stale_form(error: CSRFError) -> ResponseReturnValue:
    """A form without its token, or with that of another session."""
    page = render_template("errors/problem.html", status=400, title="Bad Request", detail=STALE)
    return protect(make_response(page, 400))


def local_path(target: str | None) -> str:
    """Where to go next: only ever a path of our own, by default the overview."""
    overview = url_for("dashboard.overview")
    if not target or not target.startswith("/") or not target.isprintable():
        return overview
    # "//host" and "/\host" are other people's addresses to a browser.
    if target.startswith(("//", "/\\")) or urlsplit(target).netloc:
        return overview
    return target


def _verified(form: SignInForm) -> User | None:
    with transaction() as session:
        user = users.verify(session, form.email.data, form.password.data)
        if user is not None:
            user.last_signed_in_at = clock.now()
    return user
