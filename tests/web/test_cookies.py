"""Which answers bring the sign-in cookie along."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

pytestmark = pytest.mark.usefixtures("database")


def test_what_a_pages_script_asks_for_brings_no_old_cookie_back(admin: FlaskClient) -> None:
    admin.get("/sessions")
    opened = admin.get("/sessions", headers={"Sec-Fetch-Mode": "navigate"})
    beside = admin.get("/sessions/rows", headers={"Sec-Fetch-Mode": "cors"})
    assert "Set-Cookie" in opened.headers
    assert "Set-Cookie" not in beside.headers
    assert "Set-Cookie" in admin.get("/sessions").headers  # a browser that does not say
