"""Signing in by several browsers at the same moment, through the pages."""

from __future__ import annotations

import contextvars
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.authenticator import code_of
from tests.web.signed_in import csrf_token, make_user, sign_in
from tests.web.two_factor import CODE, ann, set_up

pytestmark = pytest.mark.usefixtures("database")


def at_once(browsers: list[FlaskClient], page: str, data: dict[str, str]) -> Counter[int]:
    """The same form, sent by all of them at the same moment: how often each answer came."""
    tokens = [csrf_token(browser.get(page)) for browser in browsers]
    start, answers = threading.Barrier(len(browsers)), Counter[int]()

    def press(browser: FlaskClient, token: str) -> None:
        start.wait()
        answers[browser.post(page, data={"csrf_token": token, **data}).status_code] += 1

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(press, browser, token))
        for browser, token in zip(browsers, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("code_from", [lambda codes: codes[3], lambda _: code_of(ann(), 1)])
def test_of_two_with_the_same_code_one_gets_in(
    app: Flask, admin: FlaskClient, code_from: Callable[[list[str]], str]
) -> None:
    codes = set_up(admin)
    browsers = [app.test_client() for _ in range(4)]
    for browser in browsers:
        sign_in(browser)
    assert at_once(browsers, CODE, {"code": code_from(codes)}) == {302: 1, 422: 3}
    assert [browser.get("/sessions").status_code for browser in browsers].count(200) == 1


def test_of_many_guesses_at_once_five_are_looked_at(app: Flask) -> None:
    make_user()
    for email in ("ann@example.com", "nobody@example.com"):
        browsers = [app.test_client() for _ in range(9)]
        data = {"email": email, "password": "a guess"}
        assert at_once(browsers, "/login", data) == {422: 5, 429: 4}


def test_nothing_of_before_the_sign_in_is_worth_anything_after_it(app: Flask) -> None:
    """A cookie that somebody put into the browser beforehand does not become the sign-in."""
    make_user()
    victim, thief = app.test_client(), app.test_client()
    planted = thief.get("/login").headers["Set-Cookie"].split("session=")[1].split(";")[0]
    victim.set_cookie("session", planted)
    assert sign_in(victim).status_code == 302
    kept = victim.get_cookie("session")
    assert kept is not None
    assert kept.value != planted
    thief.set_cookie("session", planted)
    assert thief.get("/sessions").status_code == 302
