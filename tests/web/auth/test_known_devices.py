"""Kept out after many wrong passwords, and let in from a browser that has signed in before."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.accounts import limits, users
from app.accounts.hashing import MOST_INSIDE, Lanes
from app.core.db import transaction
from app.core.errors import TooMany
from app.models import User
from tests.accounts.authenticator import code_of
from tests.web.auth.test_sign_outs import copy_of, sign_out
from tests.web.dashboard.profile.test_two_factor import CODE, ann, set_up
from tests.web.forms import send
from tests.web.signed_in import PASSWORD, csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")
TOKEN = "/api/v1/auth/token"


def attack(email: str = "ann@example.com") -> None:
    """Wrong passwords from many addresses, and from this one, until the account has to wait."""
    for number in itertools.count():
        address = "127.0.0.1" if number < 5 else f"198.51.100.{number}"
        try:
            with transaction() as session:
                limits.count(session, email, address)
        except TooMany:
            return


@pytest.fixture
def owner(app: Flask, admin: FlaskClient) -> FlaskClient:
    """A browser in which Ann has signed in and out."""
    sign_out(admin)
    return admin


def test_the_owner_gets_in_from_a_known_browser_alone(app: Flask, owner: FlaskClient) -> None:
    attack()
    new = app.test_client()
    refused = sign_in(new)
    assert refused.status_code == 429
    assert "a browser you have used before" in refused.text
    given = {"email": "ann@example.com", "password": PASSWORD}
    assert new.post(TOKEN, json=given).status_code == 429
    assert sign_in(owner).status_code == 302
    assert sign_in(new).status_code == 429  # the attack goes on being slowed down


def test_a_known_browser_has_few_tries_of_its_own(app: Flask, owner: FlaskClient) -> None:
    thief = copy_of(app, owner, "known_device")
    codes = [sign_in(thief, password="a guess").status_code for _ in range(7)]
    assert codes == [422] * 5 + [429] * 2
    assert sign_in(app.test_client()).status_code == 302  # strangers' count is another one


def test_it_is_no_proof_of_who_one_is(app: Flask, owner: FlaskClient) -> None:
    thief = copy_of(app, owner, "known_device")
    assert thief.get("/sessions").status_code == 302
    assert sign_in(thief, password="a guess").status_code == 422


def test_a_known_browser_is_known_for_its_users_alone(app: Flask, owner: FlaskClient) -> None:
    make_user("bob@example.com", role="agent")
    attack("bob@example.com")
    assert sign_in(owner, "bob@example.com").status_code == 429
    forged = app.test_client()
    forged.set_cookie("known_device", "made-up")
    attack()
    assert sign_in(forged).status_code == 429


def test_a_browser_of_several_users_is_known_for_each(app: Flask, owner: FlaskClient) -> None:
    make_user("bob@example.com", role="agent")
    sign_in(owner, "bob@example.com")
    sign_out(owner)
    attack(), attack("bob@example.com")
    for email in ("ann@example.com", "bob@example.com"):
        assert sign_in(owner, email).status_code == 302
        sign_out(owner)


def test_ending_all_sign_ins_forgets_the_browser_and_a_new_sign_in_knows_it(
    app: Flask, owner: FlaskClient
) -> None:
    stolen = copy_of(app, owner, "known_device")
    with transaction() as session:
        users.end_sign_ins(session, users.locked(session, ann().id))
    attack()
    assert sign_in(stolen).status_code == 429
    with transaction() as session:
        limits.forget_account(session, "ann@example.com")
    sign_in(owner)
    sign_out(owner)
    attack()
    assert sign_in(owner).status_code == 302


def test_codes_count_for_the_known_browser_too(app: Flask, admin: FlaskClient) -> None:
    codes = set_up(admin)
    sign_out(admin)
    attack()
    assert sign_in(admin).location == CODE
    assert [send(admin, CODE, code="000000").status_code for _ in range(6)] == [422] * 5 + [429]
    assert send(admin, CODE, code=codes[0]).status_code == 429
    assert code_of(ann())


def test_who_is_signed_in_changes_the_password_whatever_strangers_try(admin: FlaskClient) -> None:
    attack()
    data = {"new_password": "a good new password", "again": "a good new password"}
    for _ in range(4):
        wrong = send(admin, "/profile", "/profile/password", old_password="a guess", **data)
        assert (wrong.status_code, "not your password" in wrong.text) == (422, True)
    assert (
        send(admin, "/profile", "/profile/password", old_password=PASSWORD, **data).status_code
        == 302
    )


def test_the_password_on_the_profile_is_not_guessed_for_long(admin: FlaskClient) -> None:
    data = {"new_password": "a good new password", "again": "a good new password"}
    for password in ("a guess",) * 5 + (PASSWORD,):
        page = send(admin, "/profile", "/profile/password", old_password=password, **data)
    assert (page.status_code, "Too many tries" in page.text) == (422, True)


def test_strangers_who_use_up_their_lane_keep_no_known_browser_out(
    app: Flask, owner: FlaskClient
) -> None:
    lanes: Lanes = app.extensions["sign_in_lanes"]
    new = app.test_client()
    with ExitStack() as inside, lanes.strangers.slot:
        for _ in range(MOST_INSIDE):
            inside.enter_context(lanes.strangers.enter())
        refused = sign_in(new)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert "Too many people are signing in" in refused.text
        assert sign_in(owner).status_code == 302
    assert sign_in(new).status_code == 302


def test_passwords_of_strangers_are_looked_at_one_at_a_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes: Lanes = app.extensions["sign_in_lanes"]
    seen: list[bool] = []
    verify = users.verify

    def noted(session: Session, email: str, password: str) -> User | None:
        seen.append(lanes.strangers.slot.locked() and not lanes.trusted.slot.locked())
        return verify(session, email, password)

    monkeypatch.setattr(users, "verify", noted)
    assert sign_in(app.test_client(), password="a guess").status_code == 422
    assert seen == [True]


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: FlaskClient) -> None:
    make_user()
    [cookie] = [
        each
        for each in sign_in(client).headers.getlist("Set-Cookie")
        if each.startswith("known_device=")
    ]
    for words in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=15552000"):
        assert words in cookie
    assert csrf_token(client.get("/sessions"))
