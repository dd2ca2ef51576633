from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import users
from app.core import clock
from app.core.db import transaction
from app.models import SignIn
from tests.web.auth.test_sign_in import noted
from tests.web.problems import assert_problem
from tests.web.signed_in import PASSWORD, bearer, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")
TOKEN, REFRESH = "/api/v1/auth/token", "/api/v1/auth/refresh"


def test_tokens_for_an_email_and_a_password(client: FlaskClient) -> None:
    make_user()
    answer = client.post(TOKEN, json={"email": "Ann@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json
    assert given is not None
    assert set(given) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
    fresh = client.post(REFRESH, json={"refresh_token": given["refresh_token"]})
    assert fresh.status_code == 200
    headers = {"Authorization": f"Bearer {fresh.json['access_token']}"}  # type: ignore[index]
    assert client.get("/api/v1/sessions", headers=headers).status_code == 200


def test_an_expired_token_says_so(client: FlaskClient) -> None:
    make_user()
    headers = bearer(client)
    with clock.moved(timedelta(minutes=16)):
        answer = client.get("/api/v1/sessions", headers=headers)
    assert_problem(answer, 401)
    assert "expired" in answer.json["detail"]  # type: ignore[index]


def test_ending_a_token_ends_its_own_sign_in_and_no_other(app: Flask, client: FlaskClient) -> None:
    make_user()
    browser = app.test_client()
    sign_in(browser)
    tokens, others = new_tokens(client), bearer(client)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.delete(TOKEN, headers=headers).status_code == 204
    assert_problem(client.get("/api/v1/sessions", headers=headers), 401)
    assert_problem(client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]}), 401)
    assert_problem(client.delete(TOKEN, headers=headers), 401)
    assert_problem(client.delete(TOKEN), 401)
    assert client.get("/api/v1/sessions", headers=others).status_code == 200
    assert browser.get("/sessions").status_code == 200
    assert [each.action for each in noted()].count("user.signed_out") == 1


def test_a_refresh_token_that_comes_again_ends_every_token_of_its_sign_in(
    client: FlaskClient,
) -> None:
    user = make_user()
    first, others = new_tokens(client), bearer(client)
    given = {"refresh_token": first["refresh_token"]}
    second = client.post(REFRESH, json=given).json
    assert second is not None
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get("/api/v1/sessions", headers=headers).status_code == 200
    for status in ("used before", "not valid"):
        refused = client.post(REFRESH, json=given)
        assert_problem(refused, 401)
        assert status in refused.json["detail"]  # type: ignore[index]
    assert_problem(client.get("/api/v1/sessions", headers=headers), 401)
    assert_problem(client.post(REFRESH, json={"refresh_token": second["refresh_token"]}), 401)
    assert client.get("/api/v1/sessions", headers=others).status_code == 200
    [entry] = [each for each in noted() if each.action == "user.refresh_token_reused"]
    assert (entry.user_id, entry.address) == (user.id, "127.0.0.1")


def test_of_many_with_the_same_refresh_token_at_once_one_gets_tokens(
    app: Flask, client: FlaskClient
) -> None:
    make_user()
    given = {"refresh_token": new_tokens(client)["refresh_token"]}
    start, answers = threading.Barrier(6), []

    def send() -> None:
        start.wait()
        answers.append(app.test_client().post(REFRESH, json=given))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.status_code for each in answers) == [200] + [401] * 5
    [won] = [each.json for each in answers if each.status_code == 200]
    headers = {"Authorization": f"Bearer {won['access_token']}"}
    assert_problem(client.get("/api/v1/sessions", headers=headers), 401)
    assert [each.action for each in noted()].count("user.refresh_token_reused") == 1


@pytest.mark.parametrize("_number", range(4))
def test_refreshing_while_all_sign_ins_are_ended_brings_none_back(
    app: Flask, client: FlaskClient, _number: int
) -> None:
    """Neither waits for the other for ever, and no token is good afterwards."""
    user = make_user()
    given = {"refresh_token": new_tokens(client)["refresh_token"]}
    start, answers = threading.Barrier(3), []

    def refresh() -> None:
        start.wait()
        answers.append(app.test_client().post(REFRESH, json=given).status_code)

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    start.wait()
    with transaction() as session:
        users.end_sign_ins(session, users.locked(session, user.id))
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    assert set(answers) <= {200, 401}
    with transaction() as session:
        assert session.query(SignIn).count() == 0


def new_tokens(client: FlaskClient) -> dict[str, str]:
    answer = client.post(TOKEN, json={"email": "ann@example.com", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    given: dict[str, str] = answer.json  # type: ignore[assignment]
    return given


@pytest.mark.parametrize(
    "given",
    [
        {"email": "ann@example.com", "password": "wrong"},
        {"email": "nobody@example.com", "password": PASSWORD},
    ],
)
def test_wrong_and_unknown_get_the_same_answer(client: FlaskClient, given: dict[str, str]) -> None:
    make_user()
    answer = client.post(TOKEN, json=given)
    assert_problem(answer, 401)
    assert answer.json["detail"] == "This e-mail and password do not go together."  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, ["email", "password"]),
        ({"email": "", "password": "x"}, ["email"]),
        ({"email": 5, "password": ["x"]}, ["email", "password"]),
        ({"email": "a\x00", "password": "\ud800"}, ["email", "password"]),
        ({"email": "a@b.c", "password": "x" * 501}, ["password"]),
        ({"email": "a@b.c", "password": "x", "colour": "red"}, ["colour"]),
        ([], ["body"]),
        ("text", ["body"]),
    ],
)
def test_wrong_fields_are_refused_by_name(
    client: FlaskClient, given: object, fields: list[str]
) -> None:
    answer = client.post(TOKEN, json=given)
    assert_problem(answer, 422)
    assert sorted(answer.json["errors"]) == fields  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"email":"\xff"}', "application/json", 400),
        (b"", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"a" * 70_000, "application/json", 413),
        (b"email=a", "application/x-www-form-urlencoded", 415),
    ],
)
def test_what_is_no_json_is_refused(
    client: FlaskClient, body: bytes, kind: str, status: int
) -> None:
    for address in (TOKEN, REFRESH):
        assert_problem(client.post(address, data=body, content_type=kind), status)


def test_a_cookie_does_not_count_for_the_api(client: FlaskClient) -> None:
    make_user()
    sign_in(client)
    assert client.get("/sessions").status_code == 200
    assert_problem(client.get("/api/v1/sessions"), 401)
    assert_problem(client.delete(TOKEN), 401)


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api", "/widget"])
def test_an_unknown_address_is_404(client: FlaskClient, address: str) -> None:
    assert_problem(client.get(address), 404)


def test_a_wrong_method_is_405(client: FlaskClient) -> None:
    assert_problem(client.put(TOKEN), 405)
