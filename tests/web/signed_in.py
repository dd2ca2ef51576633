"""Users for tests of pages and the API, and how they sign in."""

from __future__ import annotations

import html
import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import users
from app.core.db import transaction
from app.models import User

PASSWORD = "correct horse"


def make_user(email: str = "ann@example.com", role: str = "admin") -> User:
    with transaction() as session:
        return users.create(session, email=email, role=role, password=PASSWORD).user


def csrf_token(page: TestResponse) -> str:
    """The token of the first form on a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def sign_in(client: FlaskClient, email: str = "ann@example.com", **values: str) -> TestResponse:
    token = csrf_token(client.get("/login"))
    data = {"csrf_token": token, "email": email, "password": PASSWORD, **values}
    return client.post("/login", data=data)


def bearer(client: FlaskClient, email: str = "ann@example.com") -> dict[str, str]:
    """The header of an access token for this user."""
    answer = client.post("/api/v1/auth/token", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json['access_token']}"}  # type: ignore[index]
