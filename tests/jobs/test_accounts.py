from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.db import db
from app.models import Delivery
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
