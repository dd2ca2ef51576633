"""Every route × who asks: the table in `docs/permissions.md` is what the routes really answer.

A route without a row fails. `python -m tests.web.test_permissions` prints the table as the routes'
declarations would have it, to be compared and put there by a person.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.accounts.permissions import SCOPES_OF_ROLE
from app.web.guards import PUBLIC
from tests.web.signed_in import bearer, csrf_token, make_user, sign_in

TABLE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
PEOPLE = ("nobody", "agent", "admin")
#: Nobody would come back from these: they send for as long as somebody listens.
ENDLESS = ("/live",)
VALUES = {
    "uuid": str(uuid.UUID(int=7)),
    "integer": "7",
    "path": "nowhere",
    "string": "nowhere",
    "default": "nowhere",
}


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    assert sorted(_written()) == sorted(_asked(app))


def test_every_route_answers_each_of_them_as_the_table_says(
    client: FlaskClient, app: Flask, database: Flask
) -> None:
    make_user("bob@example.com", role="agent")
    make_user("ann@example.com", role="admin")
    wrong = []
    for name, email in (
        ("nobody", None),
        ("agent", "bob@example.com"),
        ("admin", "ann@example.com"),
    ):
        caller = _Caller(app, email)
        for row, rule in _asked(app).items():
            method = row.split()[0]
            answer = caller.ask(method, _address(app, rule))
            expected = _written()[row][PEOPLE.index(name)]
            if (said := _in_words(answer)) != expected:
                wrong.append(f"{row}, {name}: {said} ({answer.status_code}), not {expected}")
    assert "\n".join(wrong) == ""


def test_a_page_shows_an_agent_no_way_to_what_is_refused(
    database: Flask, agent: FlaskClient
) -> None:
    refused = {row.split()[1] for row, answers in _written().items() if answers[1] == "refused"}
    for address in ("/sessions", "/leads", "/qa", "/deliveries", "/incidents", "/profile"):
        links = re.findall(r'(?:href|action)="([^"?#]+)', agent.get(address).text)
        assert refused.isdisjoint(links), address


class _Caller:
    """Asks as a page of the dashboard would, and under `/api/` with an access token."""

    def __init__(self, app: Flask, email: str | None) -> None:
        self._app, self._email = app, email
        self._client = app.test_client()
        self._access: dict[str, str] = {}
        self._sign_in()

    def ask(self, method: str, address: str) -> TestResponse:
        if address.startswith("/api/"):
            answer = self._client.open(address, method=method, headers=self._token(), json={})
            if method == "DELETE":
                self._access = {}  # perhaps the token was given back
            return answer
        if method == "GET":
            return self._client.get(address, buffered=address not in ENDLESS)
        if self._email is None:
            self._sign_in()  # a form that was sent may have begun another session
        answer = self._client.open(address, method=method, data={"csrf_token": self._form})
        if self._email and self._client.get("/notices").status_code != 200:
            self._sign_in()
        return answer

    def _token(self) -> dict[str, str]:
        if self._email and not self._access:
            self._access = bearer(self._app.test_client(), self._email)
        return self._access

    def _sign_in(self) -> None:
        self._client = self._app.test_client()
        if self._email:
            assert sign_in(self._client, self._email).status_code == 302
        page = self._client.get("/profile" if self._email else "/login")
        self._form = csrf_token(page)


def _in_words(answer: TestResponse) -> str:
    if answer.status_code == 401:
        return "sign in"
    if answer.status_code == 302 and "/login?next=" in answer.headers["Location"]:
        return "sign in"
    assert answer.status_code < 500, answer.text
    return "refused" if answer.status_code == 403 else "allowed"


def _asked(app: Flask) -> dict[str, Rule]:
    """Method and address of every route, Flask's own for static files apart."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def _written() -> dict[str, tuple[str, ...]]:
    """The table of the document: by method and address, what each of the three gets."""
    rows = re.findall(
        r"^\| `(\w+ \S+)` \| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \|$", TABLE.read_text("utf-8"), re.M
    )
    return {row: tuple(answers) for row, *answers in rows}


def _address(app: Flask, rule: Rule) -> str:
    values = {
        name: VALUES.get(type(converter).__name__.removesuffix("Converter").lower(), "nowhere")
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(
            rule.endpoint, values, method=next(iter(rule.methods or ()))
        )


def _declared(app: Flask) -> Iterator[str]:
    for row, rule in sorted(_asked(app).items(), key=lambda item: item[0].split()[::-1]):
        scope = getattr(app.view_functions[rule.endpoint], "permission", None)
        answers = ["allowed"] * 3
        if scope != PUBLIC:
            roles = [SCOPES_OF_ROLE[role] for role in ("agent", "admin")]
            answers = ["sign in", *("allowed" if scope in each else "refused" for each in roles)]
        yield f"| `{row}` | {' | '.join(answers)} |"


if __name__ == "__main__":
    import tempfile

    from app import create_app
    from config import Settings

    nowhere = {"DATABASE_URL": "postgresql://nowhere/nothing", "SECRET_KEY": "x" * 40}
    with tempfile.TemporaryDirectory() as folder:
        print(*_declared(create_app(Settings.load(nowhere, instance_path=Path(folder)))), sep="\n")
