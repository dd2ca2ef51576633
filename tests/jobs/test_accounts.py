from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import limits, sign_ins
from app.core import clock
from app.core.db import db, transaction
from app.jobs import tasks
from app.jobs.accounts import remove_old_sign_ins
from app.models import Delivery, SignIn, SignInFailure
from tests.jobs.workers import PATIENCE_SECONDS, Start
from tests.web.forms import send
from tests.web.signed_in import make_user


def test_the_worker_writes_and_sends_the_letter_of_who_forgot_the_password(
    database: Flask, client: FlaskClient, start_worker: Start
) -> None:
    """With no mail service it is printed on the console, and the row keeps no way in."""
    make_user()
    for email in ("ann@example.com", "nobody@example.com"):
        assert send(client, "/login/forgotten", email=email).status_code == 302
    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0
    [letter] = db.session().scalars(select(Delivery)).all()
    assert (letter.event, letter.destination_key, letter.status) == (
        "user.reset", "console", "delivered",
    )  # fmt: skip
    assert "/login/password/" not in letter.body
    assert "sealed" not in letter.body


def test_the_worker_removes_expired_sign_ins_and_old_counts(database: Flask) -> None:
    user = make_user()
    with transaction() as session:
        sign_ins.start(session, user, "browser")
        kept = sign_ins.start(session, user, "api").sign_in.id
        limits.count(session, "nobody@example.com", "192.0.2.1")
    assert remove_old_sign_ins in [function for function, _ in tasks.PERIODIC]
    with clock.moved(timedelta(days=15)):
        remove_old_sign_ins(None, 0)  # type: ignore[arg-type]
    with transaction() as session:
        assert session.scalars(select(SignIn.id)).all() == [kept]
        assert session.query(SignInFailure).count() == 0
