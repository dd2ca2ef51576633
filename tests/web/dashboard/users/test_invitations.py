from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import clock
from app.core.db import transaction
from app.delivery import letters, sealed
from app.models import Delivery, User
from tests.web.audit_log import noted
from tests.web.forms import follow, send
from tests.web.passwords import NEW, choose
from tests.web.signed_in import sign_in

pytestmark = pytest.mark.usefixtures("database")
BOB = {"email": "Bob@Example.com", "role": "agent"}


def shown_link(page: str) -> str:
    """The path of the link that is shown once."""
    found = re.search(r'value="https?://[^/]+(/login/password/[^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def test_whom_an_admin_invites_chooses_name_and_password(app: Flask, admin: FlaskClient) -> None:
    answer = send(admin, "/users/new", "/users", **BOB)
    page = admin.get(answer.location).text
    path = shown_link(page)
    assert "/login/password/" not in admin.get(answer.location).text  # shown once
    assert "Invited" in page
    bob = app.test_client()
    assert sign_in(bob, "bob@example.com").status_code == 422
    assert bob.get(path).status_code == bob.get(path).status_code == 200  # looking uses nothing
    assert "Please sign in as bob@example.com" in choose(bob, path, name="Bob Ray")
    assert sign_in(bob, "bob@example.com", password=NEW).status_code == 302
    assert "Bob Ray" in bob.get("/sessions").text
    for answer in (bob.get(path), bob.post(path)):
        assert answer.status_code in (400, 410)
    assert "has been used" in bob.get(path).text
    assert [e.action for e in noted()][-3:] == ["user.invited", "user.joined", "user.signed_in"]
    assert "bob@" not in str([e.details for e in noted()])


def test_a_new_invitation_ends_the_old_one_and_each_expires(app: Flask, admin: FlaskClient) -> None:
    location = send(admin, "/users/new", "/users", **BOB).location
    old = shown_link(admin.get(location).text)
    new = shown_link(follow(admin, location, f"{location}/links", how="link"))
    nobody = app.test_client()
    dead = nobody.get(old)
    assert (dead.status_code, "newer one" in dead.text) == (410, True)
    with clock.moved(timedelta(days=7, minutes=1)):
        assert nobody.get(new).status_code == 410
    assert nobody.get(new).status_code == 200
    assert nobody.get("/login/password/made-up").status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"password": "short", "again": "short"}, "at least 8"),
        ({"again": "something else"}, "same password twice"),
        ({"password": "password123", "again": "password123"}, "most used"),
        ({"password": "bob@example.com", "again": "bob@example.com"}, "your name or e-mail"),
        ({"name": "x" * 101}, "100"),
    ],
)
def test_a_password_that_is_no_good_is_refused_beside_the_field(
    app: Flask, admin: FlaskClient, data: dict[str, str], words: str
) -> None:
    path = shown_link(follow(admin, "/users/new", "/users", **BOB))
    client = app.test_client()
    values = {"password": NEW, "again": NEW, "name": "Bob Ray", **data}
    page = send(client, path, path, **values)
    assert page.status_code == 422
    assert words in page.text
    assert values["name"] in page.text
    assert NEW not in page.text
    choose(client, path)


def test_wrong_invitations_are_refused_beside_the_field(admin: FlaskClient) -> None:
    for data, words in (
        ({"email": "ann@example.com", "role": "agent"}, "already a user"),
        ({"email": "no address", "role": "agent"}, "like ann@example.com"),
        ({"email": "bob@example.com", "role": "owner"}, "Please choose"),
    ):
        page = send(admin, "/users/new", "/users", name="Bobby Tables", **data)
        assert page.status_code == 422
        assert words in page.text
        assert "Bobby Tables" in page.text
    with transaction() as session:
        assert session.query(User).count() == 1


def test_with_a_mail_service_the_link_goes_by_letter_and_is_shown_to_nobody(
    app: Flask, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "destination", lambda: "email")
    page = follow(admin, "/users/new", "/users", how="mail", **BOB)
    assert "is on its way to bob@example.com" in page
    assert "/login/password/" not in page
    with transaction() as session:
        [letter] = session.scalars(select(Delivery)).all()
    assert (letter.event, letter.destination_key) == ("user.invited", "email")
    assert "/login/password/" not in letter.body
    written = sealed.unseal(json.loads(letter.body)["data"])
    assert written["to"] == ["bob@example.com"]
    for kind in ("text", "html"):
        path = re.findall(r"/login/password/[\w-]+", written[kind])[0]
        assert app.test_client().get(path).status_code == 200
    location = send(admin, "/users/new", "/users", email="c@example.com", role="admin", how="link")
    shown_link(admin.get(location.location).text)
