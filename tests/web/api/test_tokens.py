from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.core import clock
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


def test_ending_tokens_ends_all_of_them(client: FlaskClient) -> None:
    make_user()
    headers, others = bearer(client), bearer(client)
    assert client.delete(TOKEN, headers=headers).status_code == 204
    assert_problem(client.get("/api/v1/sessions", headers=others), 401)
    assert_problem(client.delete(TOKEN, headers=headers), 401)
    assert_problem(client.delete(TOKEN), 401)


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
