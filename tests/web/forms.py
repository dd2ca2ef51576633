"""Fill in a page's form as a browser does, with the token that stands on the page."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.signed_in import csrf_token


def send(client: FlaskClient, page: str, address: str | None = None, **data: str) -> TestResponse:
    """What the server answers to the form of `page` that is sent to `address`."""
    token = csrf_token(client.get(page))
    return client.post(address or page, data={"csrf_token": token, **data})


def follow(client: FlaskClient, page: str, address: str, **data: str) -> str:
    """The words of the page one comes to, its HTML signs read."""
    answer = send(client, page, address, **data)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text
