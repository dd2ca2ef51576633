"""The incidents people see: open ones, in plain words, and the moves of admins."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import clock
from app.core.db import db, transaction
from app.incidents.record import Noted, Seen, note
from app.incidents.resolve import resolve
from app.models import ChatSession, Incident, User
from tests.factories import make_chat, make_site
from tests.reporting.queries import counted
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")
SEEN = Seen("n8n", ("W1",), "Lead intake, at “Send mail”", "Could not mail [e-mail]")
ROW = re.compile(r'<li class="row-item" id="incident-.*?</li>', re.DOTALL)


def drawn(page: str) -> list[str]:
    """Its rows, without the tokens of their forms, which are others a second later."""
    return [re.sub(r'(name="csrf_token" value)="[^"]+"', r"\1", row) for row in ROW.findall(page)]


def noted(times: int = 1, **values: Any) -> Noted:
    with transaction() as session:
        for _ in range(times):
            incident = note(session, replace(SEEN, **values))
    return incident


def test_an_empty_list_says_that_all_is_well_and_how_to_connect_n8n(
    admin: FlaskClient, agent: FlaskClient
) -> None:
    page = admin.get("/incidents").text
    assert "All is well" in page
    assert '<a href="/keys">Keys</a>' in page
    assert "flask" not in page
    assert "Nothing has failed yet" in admin.get("/incidents?show=all").text
    assert "Keys" not in agent.get("/incidents").text
    assert "All is well" in agent.get("/incidents").text


def test_a_row_shows_where_what_how_often_and_since_when(admin: FlaskClient) -> None:
    with transaction() as session:
        chat = make_chat(session, make_site(session, name="Harley <Dental>"))
    with clock.moved(-timedelta(hours=3)):
        noted(2)
    noted(
        session_id=chat.id,
        problem="No <b>page</b> 🦷",
        url="https://n8n.example/workflow/1/executions/7",
    )
    page = admin.get("/incidents").text
    for words in (
        "Lead intake, at “Send mail”", "No &lt;b&gt;page&lt;/b&gt; 🦷", "3 times", "3 h ago",
        "just now", "Harley &lt;Dental&gt;", f'href="/sessions/{chat.id}"',
        'href="https://n8n.example/workflow/1/executions/7" target="_blank" rel="noopener nore',
        "Mark as resolved", "N8n",
    ):  # fmt: skip
        assert words in page, words


def test_an_incident_of_an_assistant_is_shown_with_its_site(admin: FlaskClient) -> None:
    with transaction() as session:
        site_id = make_site(session, name="Harley Dental").id
    noted(source="assistant", title="The language model", site_id=site_id)
    page = admin.get("/incidents").text
    assert "Harley Dental" in page
    assert "Assistant" in page
    assert "The run in N8n" not in page


def test_open_ones_are_shown_and_all_on_request_the_latest_first(admin: FlaskClient) -> None:
    old = noted(group=("old",), title="Old one")
    done = noted(group=("done",), title="Done one")
    noted(group=("new",), title="New one")
    noted(group=("old",), title="Old one")
    with transaction() as session:
        resolve(session, done.id, None)
    assert titles(admin.get("/incidents").text) == ["Old one", "New one"]
    assert titles(admin.get("/incidents?show=all").text) == ["Old one", "New one", "Done one"]
    assert titles(admin.get("/incidents?show=nonsense").text) == ["Old one", "New one"]
    rows = admin.get(f"/incidents/rows?ids={old.id},{done.id},{uuid.uuid4()},x").text
    assert titles(rows) == ["Old one"]
    assert drawn(rows) == drawn(admin.get("/incidents").text)[:1]
    assert len(titles(admin.get(f"/incidents/rows?show=all&ids={done.id}").text)) == 1


def test_resolving_and_opening_again(admin: FlaskClient) -> None:
    incident = noted()
    data = {"csrf_token": csrf_token(admin.get("/incidents")), "back": "/incidents?show=all"}
    answer = admin.post(f"/incidents/{incident.id}/resolution", data=data)
    assert (answer.status_code, answer.location) == (302, "/incidents?show=all")
    page = admin.get("/incidents?show=all").text
    assert "Marked as resolved" in page
    assert "Open again" in page
    ann = db.session().scalar(select(User.id))
    assert db.session().scalar(select(Incident.resolved_by)) == ann
    assert "All is well" in admin.get("/incidents").text
    admin.post(f"/incidents/{incident.id}/reopening", data=data)
    assert "Mark as resolved" in admin.get("/incidents").text
    for move in ("resolution", "reopening"):
        assert admin.post(f"/incidents/{uuid.uuid4()}/{move}", data=data).status_code == 404
        assert admin.post(f"/incidents/{incident.id}/{move}").status_code == 400


def test_an_agent_reads_and_moves_nothing(agent: FlaskClient) -> None:
    incident = noted()
    page = agent.get("/incidents")
    assert "Could not mail" in page.text
    assert "Mark as resolved" not in page.text
    for move in ("resolution", "reopening"):
        answer = agent.post(
            f"/incidents/{incident.id}/{move}", data={"csrf_token": csrf_token(page)}
        )
        assert answer.status_code == 403
    assert titles(agent.get("/incidents").text)


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    for path in ("/incidents", "/incidents/rows?ids="):
        assert client.get(path).location.startswith("/login?next=")


def test_every_page_is_linked_and_leads_on(admin: FlaskClient) -> None:
    for number in range(60):
        noted(group=(str(number),), title=f"Number {number}.")
    page = admin.get("/incidents?show=all").text
    assert "Number 59." in page
    assert "Number 9." not in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    rest = admin.get(older[1].replace("&amp;", "&")).text
    assert titles(rest) == [f"Number {number}." for number in range(9, -1, -1)]
    newer = re.search(r'rel="prev" href="([^"]+)"', rest)
    assert newer
    assert titles(admin.get(newer[1].replace("&amp;", "&")).text) == titles(page)
    assert admin.get("/incidents?cursor=nonsense").status_code == 422


def test_the_list_takes_the_same_number_of_queries_for_any_number(admin: FlaskClient) -> None:
    def queries() -> int:
        with counted() as seen:
            assert admin.get("/incidents?show=all").status_code == 200
        return len(seen)

    few = queries()
    with transaction() as session:
        for number in range(15):
            chat = make_chat(session)
            note(session, replace(SEEN, group=(str(number),), session_id=chat.id))
    assert queries() == few
    assert few <= 5


def test_a_deleted_session_leaves_its_incident(admin: FlaskClient) -> None:
    with transaction() as session:
        chat_id = make_chat(session).id
    noted(session_id=chat_id)
    token = csrf_token(admin.get("/incidents"))
    answer = admin.post(f"/sessions/{chat_id}/deletion", data={"csrf_token": token})
    assert answer.status_code == 302
    assert db.session().get(ChatSession, chat_id) is None
    page = admin.get("/incidents").text
    assert "Could not mail" in page
    assert "The conversation" not in page


def test_no_page_has_inline_code_or_style(admin: FlaskClient) -> None:
    noted(url="https://n8n.example/executions/7")
    page = admin.get("/incidents").text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize(("times", "words"), [(1, "Once"), (2, "Twice"), (3, "3 times")])
def test_how_often_in_words(admin: FlaskClient, times: int, words: str) -> None:
    noted(times)
    assert words in admin.get("/incidents").text


def titles(page: str) -> list[str]:
    return re.findall(r'<h2 dir="auto">(.*?)</h2>', page)
