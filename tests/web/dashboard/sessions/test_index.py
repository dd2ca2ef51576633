"""The list of sessions: its address is its filters, and many are archived at once."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.core import clock
from app.core.db import db, transaction
from app.models import AuditEntry, ChatSession, SessionEvent, User
from app.models.chat_session import ARCHIVE_STATUSES, COMPLETION_STATUSES
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")


def shown(client: FlaskClient, query: str = "") -> set[str]:
    page = client.get(f"/sessions?{query}", follow_redirects=True).text
    return set(re.findall(r'<li class="row-item"[^>]* data-id="([^"]+)"', page))


def count(client: FlaskClient, path: str) -> str:
    found = re.search(r'data-part="count">([^<]+)<', client.get(path).text)
    assert found
    return found[1]


def test_every_pair_of_statuses_is_reached_and_shown(admin: FlaskClient) -> None:
    with transaction() as session:
        chats = {
            pair: str(make_chat(session, completion_status=pair[0], archive_status=pair[1]).id)
            for pair in product(COMPLETION_STATUSES, ARCHIVE_STATUSES)
        }
    for (completion, archive), chat_id in chats.items():
        # "active" is what the list shows anyway.
        asked = "" if archive == "active" else "&archive_status=archived"
        query = f"completion_status={completion}{asked}"
        assert shown(admin, query) == {chat_id}, query
        row = admin.get(f"/sessions/rows?ids={chat_id}&{query}").text
        assert {"in_progress": "In progress", "completed": "Completed"}[completion] in row
        assert archive.capitalize() in row
    active = {chats[c, "active"] for c in COMPLETION_STATUSES}
    assert shown(admin) == active
    assert shown(admin, "archive_status=all") == set(chats.values())


def test_each_filter_narrows_the_list_its_number_and_its_live_rows(admin: FlaskClient) -> None:
    with transaction() as session:
        site = make_site(session, key="harbour")
        plain = make_chat(session, site=make_site(session))
        found = make_chat(session, site, channel="messenger", qa_status="issue")
        found.assistant_engaged = True
        make_lead(session, found, name="Zoë Quill", email="zoe@example.com")
        make_message(session, found, text="My boiler leaks")
    ids = f"ids={plain.id},{found.id}"
    for query in (
        "qa_status=issue", "channel=messenger", "site=harbour", "has_contact=yes",
        "assistant_engaged=yes", "q=boiler", "q=zoe%40example", "q=Quill",
    ):  # fmt: skip
        assert shown(admin, query) == {str(found.id)}, query
        assert count(admin, f"/sessions?{query}") == "1"
        live = admin.get(f"/sessions/rows?{ids}&{query}").text
        assert str(found.id) in live, query
        assert str(plain.id) not in live, query
        assert count(admin, f"/sessions/rows?{ids}&{query}") == "1"
    assert "My <mark>boiler</mark> leaks" in admin.get("/sessions?q=boiler").text
    assert "<mark>Quill</mark>" in admin.get("/sessions?q=Quill").text


def test_days_are_those_of_the_users_zone(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 22, 20, 0, tzinfo=UTC))
    with transaction() as session:
        session.execute(update(User).values(timezone="Asia/Tokyo"))  # 05:00 on the 23rd
        chats = {
            name: str(make_chat(session, started_at=at).id)
            for name, at in {
                "today": datetime(2026, 11, 22, 15, 0, tzinfo=UTC),
                "yesterday": datetime(2026, 11, 22, 14, 59, tzinfo=UTC),
                "old": datetime(2026, 10, 31, 14, 59, tzinfo=UTC),
            }.items()
        }
    assert shown(admin, "period=today") == {chats["today"]}
    assert shown(admin, "period=yesterday") == {chats["yesterday"]}
    assert shown(admin, "period=7d") == {chats["today"], chats["yesterday"]}
    assert shown(admin, "period=month") == {chats["today"], chats["yesterday"]}
    assert shown(admin, "period=30d") == {chats["today"], chats["yesterday"], chats["old"]}
    assert shown(admin, "from=2026-11-22&to=2026-11-22") == {chats["yesterday"]}
    assert "Started: 22 Nov 2026 <" not in (page := admin.get("/sessions?from=2026-11-22").text)
    assert "Started: from 22 Nov 2026" in page


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("from=31.12.2026&to=2026-12-31", "31.12.2026", "Please give a day like 2026-11-22."),
        ("from=2026-12-31&to=2026-12-01", "2026-12-31", "This is after the last day."),
        ("to=9999-12-31", "9999-12-31", "Please give a day like"),
    ],
)
def test_a_wrong_day_is_said_beside_it_and_stays(
    admin: FlaskClient, query: str, field: str, words: str
) -> None:
    with transaction() as session:
        make_chat(session, started_at=datetime(2026, 11, 1, tzinfo=UTC))
    answer = admin.get(f"/sessions?{query}")
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{field}"' in answer.text
    assert 'class="row-item"' in answer.text  # the rest still counts
    assert admin.get(f"/sessions/rows?{query}").status_code == 200


def test_the_address_names_only_what_is_filtered_by(admin: FlaskClient) -> None:
    every_field = (
        "q=&period=own&from=&to=&completion_status=completed&archive_status=active&qa_status=x"
        "&channel=&site=nowhere&has_contact=yes&assistant_engaged=&delivery=%00&cursor="
    )
    answer = admin.get(f"/sessions?{every_field}")
    assert answer.status_code == 302
    assert "completion_status=completed" in answer.location
    assert "has_contact=yes" in answer.location
    assert answer.location.count("=") - answer.location.count("cursor=") == 2
    page = admin.get("/sessions?completion_status=completed&has_contact=yes").text
    chips = re.findall(r'<a class="chip" href="([^"]+)"', page)
    assert chips == ["/sessions?has_contact=yes", "/sessions?completion_status=completed"]
    assert 'href="/sessions">Clear all</a>' in page


def test_many_are_archived_and_brought_back_at_once(agent: FlaskClient) -> None:
    with transaction() as session:
        two = [str(make_chat(session, completion_status="completed").id) for _ in range(2)]
        old = str(make_chat(session, archive_status="archived").id)
    here = "/sessions?completion_status=completed"
    form = {"csrf_token": csrf_token(agent.get(here)), "back": here, "ids": [*two, old, "x"]}
    answer = agent.post("/sessions/archive", data=form)
    assert answer.location == here
    assert "2 sessions archived. One was already, or is gone." in agent.get(here).text
    chats = db.session.scalars(select(ChatSession)).all()
    assert {each.archive_status for each in chats} == {"archived"}
    assert sorted(each.completion_status for each in chats) == [
        "completed",
        "completed",
        "in_progress",
    ]
    events = db.session.scalars(select(SessionEvent)).all()
    bob = db.session.scalars(select(User).where(User.email == "bob@example.com")).one()
    assert {(str(e.session_id), e.kind, e.user_id) for e in events} == {
        (each, "archived", bob.id) for each in two
    }
    notes = db.session.scalars(
        select(AuditEntry.object_id).where(AuditEntry.action == "session.archived")
    )
    assert set(notes) == set(two)
    agent.post("/sessions/activation", data={**form, "ids": [two[0]]})
    assert "1 session brought back." in agent.get(here).text
    told = agent.post(
        "/sessions/archive", data={**form, "ids": two[:1]}, headers={"Accept": "text/plain"}
    )
    assert (told.status_code, told.text) == (200, "1 session archived.")
    agent.post("/sessions/archive", data={**form, "ids": [], "back": "//evil.example"})
    assert "Nothing was selected." in agent.get("/sessions").text


def test_the_list_costs_the_same_number_of_queries_at_any_length(admin: FlaskClient) -> None:
    def queries() -> int:
        with counted() as seen:
            assert admin.get("/sessions?archive_status=all&q=hello").status_code == 200
        return len(seen)

    few = queries()
    with transaction() as session:
        for number in range(12):
            chat = make_chat(session, started_at=clock.now() - timedelta(minutes=number))
            make_lead(session, chat, email=f"{uuid.uuid4()}@example.com")
            make_message(session, chat, text="hello there")
    assert queries() == few
    assert few <= 10
