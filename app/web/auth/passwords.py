"""`/login/forgotten`, and `/login/password/<token>`, where a link leads."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import audit, links, users
from app.accounts.forgotten import SEND_FORGOTTEN
from app.core import queue
from app.core.addresses import rate_key
from app.core.db import db, transaction
from app.core.errors import AppError, Conflict, Invalid, NotFound
from app.models import User
from app.web.auth.blueprint import blueprint
from app.web.auth.forms import ForgottenForm, PasswordForm
from app.web.auth.signed_in import sign_out as end_session
from app.web.guards import public
from app.web.rates import rates

#: Emails asked for: by one address, and by all of them. Each is a job in the database.
PER_ADDRESS, PER_PROCESS = "20/hour", "1000/hour"


@blueprint.route("/login/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> ResponseReturnValue:
    """The same answer, and the same work, whether or not there is such a user: the letter is
    written by the worker.
    """
    form = ForgottenForm(formdata=request.form)
    if request.method == "POST" and form.validate():
        rates().take(PER_ADDRESS, "forgotten", rate_key(request.remote_addr or ""))
        rates().take(PER_PROCESS, "forgotten")
        user = users.find(db.session(), form.email.data)
        with transaction() as session:
            queue.defer(session, SEND_FORGOTTEN, user_id=str(user.id) if user else "")
        return redirect(url_for("auth.letter_sent"))
    return render_template("auth/forgotten.html", form=form), 422 if form.errors else 200


@blueprint.get("/login/forgotten/sent")
@public
def letter_sent() -> ResponseReturnValue:
    return render_template("auth/letter_sent.html", is_mailed=links.are_sent())


@blueprint.route("/login/password/<token>", methods=["GET", "POST"])
@public
def choose_password(token: str) -> ResponseReturnValue:
    """Looking at it does not use the link: programs that check letters do."""
    try:
        link, user = links.read(db.session(), token)
    except (NotFound, Conflict) as error:
        return _dead_link(error)
    form = PasswordForm(formdata=request.form, name=user.name)
    if request.method == "POST" and form.validate():
        try:
            changed = _set(token, form, is_new=link.purpose == "invite")
        except (NotFound, Conflict) as error:  # somebody was faster
            return _dead_link(error)
        except Invalid as error:
            for field, sentences in error.errors.items():
                form[field].errors = sentences
        else:
            end_session()
            flash(f"Your password is set. Please sign in as {changed.email}.")
            return redirect(url_for("auth.sign_in"))
    page = render_template("auth/password.html", form=form, user=user, purpose=link.purpose)
    return page, 422 if form.errors else 200


def _set(token: str, form: PasswordForm, *, is_new: bool) -> User:
    with transaction() as session:
        user = links.use(session, token, form.password.data, form.name.data if is_new else None)
        audit.note(
            session,
            user.id,
            "user.joined" if is_new else "password.reset",
            "user",
            user.id,
            address=request.remote_addr,
        )
    return user


def _dead_link(error: AppError) -> ResponseReturnValue:
    status = 404 if isinstance(error, NotFound) else 410
    return render_template("auth/dead_link.html", detail=error.detail), status
