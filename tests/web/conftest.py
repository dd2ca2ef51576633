"""People who are signed in."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.signed_in import make_user, sign_in


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    make_user(role="admin")
    sign_in(client)
    return client


@pytest.fixture
def agent(app: Flask) -> FlaskClient:
    make_user("bob@example.com", role="agent")
    client = app.test_client()
    sign_in(client, email="bob@example.com")
    return client
