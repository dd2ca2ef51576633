"""Sign a browser in without drawing the pages of it; `test_accounts` draws them."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext

from tests.web.signed_in import PASSWORD

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def sign_in(context: BrowserContext, server: str, email: str = "ann@example.com") -> None:
    """The requests of the form, with this profile's cookies."""
    found = _TOKEN.search(context.request.get(f"{server}/login").text())
    assert found
    form = {"csrf_token": found[1], "email": email, "password": PASSWORD}
    answer = context.request.post(f"{server}/login", form=form, max_redirects=0)
    assert answer.status == 302, answer.text()
