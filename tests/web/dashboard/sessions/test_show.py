"""One session's page: its lead put right, archived or not, what happened, who else it is."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from itertools import product

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update

from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, Delivery, Lead
from app.reporting.people import SHOWN
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")
SAVED = "The lead is saved."


def stand(**lead: object) -> uuid.UUID:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat)
        make_lead(session, chat, **lead)
        return chat.id


def lead_of(chat_id: uuid.UUID) -> Lead:
    db.session.rollback()
    return db.session.query(Lead).filter_by(session_id=chat_id).one()


def status_of(chat_id: uuid.UUID) -> tuple[str, str]:
    db.session.rollback()
    chat = db.session.get_one(ChatSession, chat_id)
    return chat.completion_status, chat.archive_status


class Form:
    """The lead's form as a browser without JavaScript would send it."""

    def __init__(self, client: FlaskClient, chat_id: uuid.UUID) -> None:
        self.client, self.path = client, f"/sessions/{chat_id}"
        self.read(client.get(self.path).text)

    def read(self, page: str) -> None:
        form = page.split('id="lead-form"')[1].split("</form>")[0]
        self.data = dict(re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))

    def save(self, **typed: str) -> tuple[int, str]:
        self.data |= {f"value-{key}": value for key, value in typed.items()}
        answer = self.client.post(f"{self.path}/lead", data=self.data, follow_redirects=True)
        if answer.status_code != 200:
            self.read(answer.text)
        return answer.status_code, answer.text


def test_a_wrong_value_is_told_beside_its_field_and_what_was_typed_stays(
    agent: FlaskClient,
) -> None:
    chat_id = stand()
    form = Form(agent, chat_id)
    status, page = form.save(email="ann at nowhere", company="Acme & Sons")
    assert status == 422
    assert "This is no e-mail address" in page
    assert 'aria-describedby="lead-email-error"' in page
    assert form.data["value-email"] == "ann at nowhere"
    assert form.data["value-company"] == "Acme &amp; Sons"
    assert lead_of(chat_id).company is None
    form.data["value-company"] = "Acme & Sons"
    status, page = form.save(email="ann@example.org")
    assert (status, SAVED in page) == (200, True)
    assert "changed the e-mail from" in page
    assert "added the company" in page
    assert "Lead edited: E-mail, Company" in page
    entry = db.session.execute(
        text("SELECT action, details FROM audit_entries WHERE action = 'lead.edited'")
    ).one()
    assert entry.details == {"fields": ["company", "email"]}


def test_nothing_is_saved_over_what_another_changed_and_both_values_are_shown(
    admin: FlaskClient, agent: FlaskClient
) -> None:
    chat_id = stand()
    anns, bobs = Form(admin, chat_id), Form(agent, chat_id)
    assert bobs.save(phone="020 7946 0001", name="Anne Lee")[0] == 200
    status, page = anns.save(phone="020 7946 0002", company="Acme")
    assert status == 409
    assert "bob@example.com changed this lead meanwhile" in page
    assert lead_of(chat_id).phone == "+442079460001"
    # What one has typed stays, what one has not touched is the new value.
    assert anns.data["value-phone"] == "020 7946 0002"
    assert anns.data["value-company"] == "Acme"
    assert anns.data["value-name"] == "Anne Lee"
    both = page.split('id="lead-phone-meanwhile"')[1].split("</p>")[0]
    assert "bob@example.com" in both
    assert "+442079460001" in both
    assert anns.save()[0] == 200  # knowingly
    lead = lead_of(chat_id)
    assert (lead.phone, lead.name, lead.company) == ("+442079460002", "Anne Lee", "Acme")


def test_a_visitors_change_meanwhile_is_told_as_such(agent: FlaskClient) -> None:
    chat_id = stand()
    form = Form(agent, chat_id)
    with transaction() as session:
        session.execute(update(Lead).values(email="new@example.com", version=Lead.version + 1))
    status, page = form.save(email="other@example.com")
    assert status == 409
    assert "The visitor changed this lead meanwhile" in page
    # A change that touches no field of the form stands in nobody's way.
    with transaction() as session:
        session.execute(update(Lead).values(version=Lead.version + 1))
    assert form.save()[0] == 200


def test_a_completed_sessions_lead_is_sent_again_once(agent: FlaskClient) -> None:
    chat_id = stand()
    token = {"csrf_token": csrf_token(agent.get(f"/sessions/{chat_id}"))}
    agent.post(f"/sessions/{chat_id}/completion", data=token)
    assert Form(agent, chat_id).save(name="Anne Lee")[0] == 200
    assert "Nothing was changed." in Form(agent, chat_id).save(name="Anne Lee")[1]
    db.session.rollback()
    events = [event for (event,) in db.session.query(Delivery.event).order_by(Delivery.created_at)]
    assert events.count("lead.updated") == events.count("lead.completed") > 0


def test_a_lead_is_made_by_hand_where_there_is_none(agent: FlaskClient) -> None:
    with transaction() as session:
        chat_id = make_chat(session).id
    form = Form(agent, chat_id)
    assert form.save()[0] == 422
    assert form.save(name="Ann Lee")[0] == 200
    assert lead_of(chat_id).name == "Ann Lee"


PAIRS = list(product(("in_progress", "completed"), ("active", "archived")))
MOVES = {
    "completion": ("completed", None),
    "reopening": ("in_progress", None),
    "archiving": (None, "archived"),
    "activation": (None, "active"),
}


def test_every_pair_of_statuses_is_reached_from_every_other_and_shown(agent: FlaskClient) -> None:
    chat_id = stand()
    path = f"/sessions/{chat_id}"
    token = {"csrf_token": csrf_token(agent.get(path))}

    def make(move: str) -> tuple[str, str]:
        agent.post(f"{path}/{move}", data=token)
        return status_of(chat_id)

    for before, (move, (completion, archive)) in product(PAIRS, MOVES.items()):
        make("completion" if before[0] == "completed" else "reopening")
        assert make("archiving" if before[1] == "archived" else "activation") == before
        after = (completion or before[0], archive or before[1])
        assert make(move) == after, (before, move)
        page = agent.get(path).text
        head = page.split('data-part="head"')[1].split("</header>")[0]
        assert (">Completed<" in head) == ("Open again" in page) == (after[0] == "completed")
        assert (">Archived<" in head) == ("Bring back" in page) == (after[1] == "archived")
    timeline = page.split('data-part="timeline"')[1]
    assert "Brought back from the archive · bob@example.com" in page
    assert "Brought back from the archive" in timeline
    assert agent.post(f"/sessions/{uuid.uuid4()}/archiving", data=token).status_code == 404


def test_what_happened_stands_between_what_was_said(agent: FlaskClient) -> None:
    with transaction() as session:
        now = clock.now()
        began = now - timedelta(days=2)
        chat = make_chat(session, started_at=began)
        make_message(session, chat, text="Before", created_at=began + timedelta(minutes=1))
        chat_id = chat.id
    token = {"csrf_token": csrf_token(agent.get(f"/sessions/{chat_id}"))}
    agent.post(f"/sessions/{chat_id}/archiving", data=token)
    with transaction() as session:
        make_message(session, session.get_one(ChatSession, chat_id), text="Afterwards")
    page = agent.get(f"/sessions/{chat_id}").text
    lines = page.split('class="lines"')[1].split("</ol>")[0]
    places = [lines.index(words) for words in ("Chat opened", "Before", "Archived", "Afterwards")]
    assert places == sorted(places)
    assert lines.count("line-day") == 2


def test_what_one_searched_for_is_marked_in_what_was_said_and_in_the_lead(
    agent: FlaskClient,
) -> None:
    chat_id = stand(email="tooth@example.com")
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        message = make_message(session, chat, text="My <b>tooth</b> hurts, says my toothless dog")
        path = f"/sessions/{chat_id}?q=%22tooth%22"
        number = message.id
    page = agent.get(path).text
    assert '<mark class="mark-hit">tooth</mark>&lt;/b&gt; hurts, says my toothless dog' in page
    assert f'href="#message-{number}">Go to the first' in page
    assert '<mark class="mark-hit">tooth</mark>@example.com' in page
    assert "mark-hit" not in agent.get(f"/sessions/{chat_id}").text


def relatives() -> dict[str, uuid.UUID]:
    """Sessions that share a sign with `me`, and one that seems to."""
    with transaction() as session:
        site = make_site(session)
        now = clock.now()

        def one(days: int, visitor: str = "", **lead: object) -> uuid.UUID:
            at = now - timedelta(days=days)
            values = {"visitor_id": visitor} if visitor else {}
            chat = make_chat(session, site, started_at=at, **values)
            if lead:
                make_lead(session, chat, **{"created_at": at, "phone": None, **lead})
            return chat.id

        return {
            "me": one(1, "v1", email="me@example.com", phone="+442079460000"),
            "email": one(2, email="me@example.com"),
            "phone": one(3, email="other@example.com", phone="+442079460000"),
            "browser": one(4, "v1"),
            "all": one(5, "v1", email="me@example.com", phone="+442079460000"),
            "stranger": one(0, email="other@example.com"),
        }


def test_other_sessions_of_the_person_are_found_by_any_sign(agent: FlaskClient) -> None:
    known = relatives()
    page = agent.get(f"/sessions/{known['me']}").text
    people = page.split('data-part="people"')[1].split("</section>")[0]
    shown = re.findall(r'href="/sessions/([0-9a-f-]{36})', people)
    assert shown == [str(known[key]) for key in ("email", "phone", "browser", "all")]
    assert "same e-mail, phone, browser" in people
    with transaction() as session:
        for _ in range(SHOWN + 2):
            make_lead(session, make_chat(session), email="me@example.com")
    people = agent.get(f"/sessions/{known['me']}").text.split('data-part="people"')[1]
    assert "and 6 more" in people


def test_the_list_one_came_from_stays_through_steps_and_moves(agent: FlaskClient) -> None:
    with transaction() as session:
        sites = [make_site(session, key=key) for key in ("one", "two")]
        now = clock.now()
        newest, other, middle, oldest = (
            make_chat(session, sites[index], started_at=now - timedelta(hours=hours)).id
            for hours, index in enumerate((0, 1, 0, 0))
        )
    page = agent.get(f"/sessions/{middle}?site=one").text
    assert f'rel="prev" href="/sessions/{newest}?site=one"' in page
    assert f'rel="next" href="/sessions/{oldest}?site=one"' in page
    assert 'href="/sessions?site=one"' in page
    assert f'rel="prev" href="/sessions/{other}"' in agent.get(f"/sessions/{middle}").text
    token = {"csrf_token": csrf_token(agent.get(f"/sessions/{middle}"))}
    answer = agent.post(f"/sessions/{middle}/archiving?site=one", data=token)
    assert answer.headers["Location"] == f"/sessions/{middle}?site=one"


def test_the_page_asks_the_same_however_much_there_is(admin: FlaskClient) -> None:
    def asked(chat_id: uuid.UUID) -> int:
        with counted() as statements:
            assert admin.get(f"/sessions/{chat_id}").status_code == 200
        return len(statements)

    chat_id = stand()
    admin.get(f"/sessions/{chat_id}")
    few = asked(chat_id)
    for name in ("Anne", "Anna", "Annie"):
        Form(admin, chat_id).save(name=name)
    token = {"csrf_token": csrf_token(admin.get(f"/sessions/{chat_id}"))}
    for move in ("completion", "reopening", "archiving", "completion"):
        admin.post(f"/sessions/{chat_id}/{move}", data=token)
    with transaction() as session:
        for _ in range(30):
            make_message(session, session.get_one(ChatSession, chat_id))
            make_lead(session, make_chat(session), name="Annie")
    assert asked(chat_id) <= few + 1  # the tries of deliveries
