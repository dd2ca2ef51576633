"""Own views of a list: saved, shown as tabs, renamed, replaced, deleted; nobody else's."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.db import db
from app.models import SavedView
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")
FILTERS = "completion_status=completed&has_contact=yes"


def post(client: FlaskClient, path: str, **values: str) -> TestResponse:
    token = csrf_token(client.get("/sessions"))
    return client.post(path, data={"csrf_token": token, **values})


def tabs(client: FlaskClient) -> list[tuple[str, str]]:
    """Name and address of each."""
    page = client.get("/sessions?archive_status=all").text
    nav = re.search(r'<nav class="tabs views".*?</nav>', page, re.DOTALL)
    found = re.findall(r'<a href="([^"]+)" dir="auto"[^>]*>([^<]+)', nav[0]) if nav else []
    return [(name, address.replace("&amp;", "&")) for address, name in found]


def test_a_view_is_saved_opened_changed_renamed_and_deleted(admin: FlaskClient) -> None:
    answer = post(admin, f"/views/sessions?{FILTERS}&cursor=", name="  Hot   leads ")
    view = db.session.scalars(select(SavedView)).one()
    assert (view.name, view.query) == ("Hot leads", FILTERS)
    assert answer.location == f"/sessions?view={view.id}&{FILTERS}"
    assert "Saved as “Hot leads”." in admin.get(answer.location).text
    assert tabs(admin) == [("Hot leads", answer.location)]

    other = f"view={view.id}&completion_status=in_progress"
    page = admin.get(f"/sessions?{other}").text
    assert "(changed)" in page
    assert "Keep them in “Hot leads”" in page
    post(admin, f"/views/{view.id}/filters?{other}")
    assert tabs(admin) == [("Hot leads", f"/sessions?{other}")]
    assert "(changed)" not in admin.get(f"/sessions?{other}").text

    post(admin, f"/views/{view.id}/name?{other}", name="Open ones")
    assert tabs(admin) == [("Open ones", f"/sessions?{other}")]
    answer = post(admin, f"/views/{view.id}/deletion?{other}")
    assert answer.location == "/sessions?completion_status=in_progress"
    assert tabs(admin) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (" ", "Please give the view a name."),
        ("x" * 61, "Please use at most 60 characters."),
        ("Mine", "You already have a view called “Mine”."),
    ],
)
def test_a_name_that_will_not_do_is_said_beside_it_and_stays(
    admin: FlaskClient, name: str, words: str
) -> None:
    post(admin, f"/views/sessions?{FILTERS}", name="Mine")
    answer = post(admin, "/views/sessions?qa_status=issue", name=name)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{name}" aria-invalid="true"' in answer.text
    assert 'href="/sessions">Clear all</a>' in answer.text  # the list one was looking at
    assert [each for each, _ in tabs(admin)] == ["Mine"]

    second = post(admin, "/views/sessions?qa_status=issue", name="Second")
    view_id = re.search(r"view=([0-9a-f-]+)", second.location)
    assert view_id
    answer = post(admin, f"/views/{view_id[1]}/name?view={view_id[1]}", name=name)
    assert answer.status_code == 422
    assert words in answer.text
    assert [each for each, _ in tabs(admin)] == ["Mine", "Second"]


def test_nobody_sees_or_touches_anothers_view(admin: FlaskClient, agent: FlaskClient) -> None:
    post(admin, f"/views/sessions?{FILTERS}", name="Mine")
    view_id = db.session.scalars(select(SavedView.id)).one()
    assert tabs(agent) == []
    for path in ("name", "filters", "deletion"):
        assert post(agent, f"/views/{view_id}/{path}", name="Yours").status_code == 404
    assert post(agent, f"/views/sessions?{FILTERS}", name="Mine").status_code == 302
    assert [name for name, _ in tabs(admin)] == ["Mine"]
    assert post(admin, "/views/incidents", name="None").status_code == 404
