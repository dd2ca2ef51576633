from __future__ import annotations

import json
import re
import statistics
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.core.db import db, transaction
from app.delivery import letters, sealed
from app.models import Delivery
from tests.web.audit_log import noted
from tests.web.forms import follow, send
from tests.web.passwords import NEW, choose, links, work
from tests.web.signed_in import PASSWORD, bearer, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


def test_a_forgotten_password_is_set_anew_by_letter(app: Flask, admin: FlaskClient) -> None:
    headers, client = bearer(admin), app.test_client()
    page = follow(client, "/login/forgotten", "/login/forgotten", email="ANN@example.com")
    assert "E-mail is not set up here" in page
    work()
    [path] = links()
    assert sign_in(client).status_code == 302  # the old one still counts
    client = app.test_client()
    choose(client, path)
    assert admin.get("/sessions").status_code == 302
    assert client.get("/api/v1/sessions", headers=headers).status_code == 401
    assert sign_in(client).status_code == 422
    assert sign_in(client, password=NEW).status_code == 302
    assert app.test_client().get(path).status_code == 410
    actions = [e.action for e in noted()]
    assert actions[-4:] == [
        "password.forgotten", "user.signed_in", "password.reset", "user.signed_in",
    ]  # fmt: skip


def test_nobody_learns_who_is_a_user(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "destination", lambda: "email")
    make_user()
    seconds: dict[str, list[float]] = {}
    answers = set()
    for email in ("ann@example.com", "nobody@example.com") * 5:
        began = time.perf_counter()
        answer = send(client, "/login/forgotten", email=email)
        seconds.setdefault(email, []).append(time.perf_counter() - began)
        answers.add((answer.status_code, answer.location, client.get(answer.location).text))
    assert len(answers) == 1
    known, unknown = (statistics.median(each) for each in seconds.values())
    assert 0.5 < known / unknown < 2
    assert send(client, "/login/forgotten", email="").status_code == 422
    assert send(client, "/login/forgotten", email="a\x00b").status_code == 302
    work()
    assert len(links()) == 3


def test_signed_in_users_change_it_with_the_old_one(app: Flask, admin: FlaskClient) -> None:
    other, headers = app.test_client(), bearer(admin)
    sign_in(other)

    def change(old: str, new: str, again: str) -> tuple[int, str]:
        data = {"old_password": old, "new_password": new, "again": again}
        answer = send(admin, "/profile", "/profile/password", **data)
        return answer.status_code, answer.text

    for values, words in (
        (("wrong", NEW, NEW), "not your password"),
        ((PASSWORD, NEW, "other"), "twice"),
        ((PASSWORD, "password1", "password1"), "most used"),
    ):
        status, page = change(*values)
        assert (status, words in page) == (422, True)
    assert other.get("/sessions").status_code == 200
    assert change(PASSWORD, NEW, NEW)[0] == 302
    assert admin.get("/sessions").status_code == 200
    assert other.get("/sessions").status_code == 302
    assert other.get("/api/v1/sessions", headers=headers).status_code == 401
    assert [e.action for e in noted()][-1] == "password.changed"


def test_the_letter_says_which_older_links_it_ends(app: Flask, admin: FlaskClient) -> None:
    """One that an admin made goes on working: anybody could end an invitation otherwise."""
    bob = make_user("bob@example.com", role="agent")
    answer = send(admin, f"/users/{bob.id}", f"/users/{bob.id}/links", how="link")
    given = re.findall(r"/login/password/[\w-]+", admin.get(answer.location).text)[0]
    client = app.test_client()
    for _ in range(2):
        send(client, "/login/forgotten", "/login/forgotten", email="bob@example.com")
        work()
        db.session.execute(text("DELETE FROM procrastinate_jobs"))
        db.session.commit()
    [older, newer] = links()
    with transaction() as session:
        found = session.scalars(select(Delivery).order_by(Delivery.created_at)).all()
        letter = sealed.unseal(json.loads(found[-1].body)["data"])
    for words in (" ".join(letter["text"].split()), " ".join(letter["html"].split())):
        assert "links you asked for earlier no longer work" in words
    assert [client.get(path).status_code for path in (older, newer, given)] == [410, 200, 200]
