"""A user who has set up an authenticator app."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from app.accounts import users
from app.core.db import db
from app.models import User
from tests.accounts.authenticator import code_of_secret
from tests.web.forms import follow, send
from tests.web.signed_in import PASSWORD

SET_UP = "/profile/two-factor"
CODE = "/login/code"


def set_up(client: FlaskClient) -> list[str]:
    """Turn it on as a person does; gives the recovery codes."""
    page = follow(client, "/profile", SET_UP, set_up_password=PASSWORD)
    assert 'src="data:image/svg+xml' in page
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    code = code_of_secret(secret[1].replace(" ", ""))
    shown = send(client, SET_UP, f"{SET_UP}/confirmation", code=code)
    assert shown.status_code == 200
    codes = re.findall(r"<code>([a-z0-9-]{14})</code>", shown.text)
    assert len(codes) == 10
    return codes


def ann() -> User:
    db.session.remove()
    return users.find(db.session(), "ann@example.com")  # type: ignore[return-value]
