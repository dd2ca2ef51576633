from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import clock
from app.core.db import db, transaction
from app.models import Delivery, Destination
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted
from tests.reporting.test_deliveries import make_attempt, make_delivery
from tests.web.signed_in import csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")
PAGES = ("/sessions", "/deliveries", "/notices", "/sessions/rows?ids=", "/deliveries/rows?ids=")


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    for path in (*PAGES, "/", "/live", f"/sessions/{uuid.uuid4()}"):
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.location.startswith("/login?next="), path


def test_every_page_forbids_foreign_code_and_caches(admin: FlaskClient) -> None:
    for path in (*PAGES, "/no-such-page", f"/sessions/{uuid.uuid4()}"):
        headers = admin.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store", path


def test_no_page_has_inline_code_or_style(admin: FlaskClient) -> None:
    with transaction() as session:
        chat_id = make_delivery(session, status="dead").session_id
    for path in ("/login", "/sessions", "/deliveries?status=dead", f"/sessions/{chat_id}", "/x"):
        page = admin.get(path, follow_redirects=True).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page), path


def test_an_empty_list_says_what_will_come(admin: FlaskClient) -> None:
    assert "No sessions yet" in admin.get("/sessions").text
    assert "Nothing sent yet" in admin.get("/deliveries").text


def test_the_list_takes_the_same_number_of_queries_for_any_number(admin: FlaskClient) -> None:
    def queries(path: str) -> int:
        with counted() as seen:
            assert admin.get(path).status_code == 200
        return len(seen)

    few = {path: queries(path) for path in ("/sessions", "/deliveries")}
    with transaction() as session:
        for _ in range(15):
            delivery = make_delivery(session)
            make_attempt(session, delivery, error="timeout")
            make_message(session, make_chat(session))
    assert {path: queries(path) for path in few} == few
    assert max(few.values()) <= 8
    assert queries(f"/sessions/{delivery.session_id}") <= 18


def test_a_row_shows_who_what_and_how_it_stands(admin: FlaskClient) -> None:
    with transaction() as session:
        site = make_site(session, name="Harley Dental")
        chat = make_chat(
            session, site, completion_status="completed", archive_status="archived", channel="n8n"
        )
        make_lead(session, chat, name="<b>Ann</b> 🦷")
        make_message(session, chat, text='Is "it" <script>alert(1)</script>?')
    page = admin.get("/sessions?archive_status=archived").text
    for words in (
        "&lt;b&gt;Ann&lt;/b&gt; 🦷", "ann@example.com", "Harley Dental", "Completed", "Archived",
        "&lt;script&gt;alert(1)&lt;/script&gt;?", "just now", f"/sessions/{chat.id}",
    ):  # fmt: skip
        assert words in page, words


def test_rows_are_the_very_ones_of_the_page(admin: FlaskClient) -> None:
    with transaction() as session:
        chat = make_chat(session)
        done = make_chat(session, completion_status="completed")
        make_lead(session, done)
    row = re.compile(r'<li class="row-item" id="session-.*?</li>', re.DOTALL)
    rows = admin.get(f"/sessions/rows?ids={chat.id},{done.id},{uuid.uuid4()},nonsense").text
    assert row.findall(rows) == row.findall(admin.get("/sessions").text)
    only = admin.get(f"/sessions/rows?completion_status=completed&ids={chat.id},{done.id}").text
    assert [str(done.id) in r for r in row.findall(only)] == [True]


def test_the_phrase_that_completed_the_session_is_marked_there_only(admin: FlaskClient) -> None:
    text = "Thanks <Ann>!\nWe call you **within the\nnext 24 hours**. Bye"
    with transaction() as session:
        chat = make_chat(
            session, completion_status="completed", completion_phrase="within 24 hours"
        )
        make_message(session, chat, text="Do you call within 24 hours?")
        promise = make_message(session, chat, role="assistant", text=text)
        make_message(session, chat, role="assistant", text="As I said: within 24 hours.")
        chat.completion_message_id = promise.id
    page = admin.get(f"/sessions/{chat.id}").text
    assert re.findall(r"<mark>(.*?)</mark>", page, re.DOTALL) == ["within the\nnext 24 hours"]
    assert "Thanks &lt;Ann&gt;!\nWe call you **<mark>" in page
    assert page.count("Booking promised here") == 1


def test_text_is_shown_exactly(admin: FlaskClient) -> None:
    text = "\n  <script>alert(1)</script>\tمرحبا 👩‍👩‍👧  \n\n end "
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text=text)
    page = admin.get(f"/sessions/{chat.id}").text
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert f'<p class="line-text" dir="auto">{escaped}</p>' in page


def test_a_long_transcript_comes_in_pieces(admin: FlaskClient) -> None:
    with transaction() as session:
        chat = make_chat(session)
        start = clock.now() - timedelta(hours=1)
        for i in range(105):
            make_message(session, chat, text=f"line {i}.", created_at=start + timedelta(seconds=i))
    page = admin.get(f"/sessions/{chat.id}").text
    lines = page.split('class="lines"')[1].split("</ol>")[0]
    assert "line 104." in lines
    assert "line 4." not in lines
    earlier = re.search(r'href="([^"]+cursor[^"]+)"', page)
    assert earlier
    assert "line 0." in admin.get(earlier[1].replace("&amp;", "&")).text


@pytest.mark.parametrize(
    ("values", "attempt", "sentence", "can_repeat"),
    [
        ({"status": "pending"}, None, "Waiting to be sent to N8n", False),
        ({"status": "delivered"}, {"status_code": 200}, "Sent to N8n", False),
        ({"status": "failed"}, {"error": "refused"}, "Could not reach N8n, trying again", True),
        ({"status": "dead"}, {"error": "status", "status_code": 500},
         "N8n answered with an error (500). We stopped trying", True),
        ({"status": "dead"}, {"error": "timeout"}, "N8n did not answer in 20 s", True),
        ({"status": "dead"}, {"error": "something-new"}, "Could not send to N8n", True),
        ({"status": "unknown"}, {"error": "interrupted"}, "May have reached N8n", True),
        ({"status": "cancelled"}, None, "Cancelled, not sent to N8n", False),
    ],
)  # fmt: skip
def test_a_delivery_in_plain_words(
    admin: FlaskClient, values: dict[str, str], attempt: dict[str, object] | None, sentence: str,
    can_repeat: bool,
) -> None:  # fmt: skip
    with transaction() as session:
        delivery = make_delivery(
            session, **values, next_attempt_at=clock.now() + timedelta(seconds=121)
        )
        if attempt is not None:
            make_attempt(session, delivery, **attempt)
    for path in ("/deliveries", f"/sessions/{delivery.session_id}"):
        page = admin.get(path).text
        assert sentence in page
        assert ("Send again" in page) == can_repeat
        assert ("in 2 min" in page) == (values["status"] == "failed")


def test_send_again(admin: FlaskClient) -> None:
    with transaction() as session:
        delivery = make_delivery(session, status="dead")
        sent = make_delivery(session, status="delivered")
    token = csrf_token(admin.get("/sessions"))
    back = f"/sessions/{delivery.session_id}"
    answer = admin.post(
        f"/deliveries/{delivery.id}/attempts", data={"csrf_token": token, "back": back}
    )
    assert (answer.status_code, answer.location) == (302, back)
    assert status_of(delivery) == "pending"
    assert "It is being sent again." in admin.get(back).text
    admin.post(f"/deliveries/{sent.id}/attempts", data={"csrf_token": token})
    assert status_of(sent) == "delivered"
    unknown = admin.post(f"/deliveries/{uuid.uuid4()}/attempts", data={"csrf_token": token})
    assert unknown.status_code == 404


def test_all_of_one_destination_are_sent_again(admin: FlaskClient) -> None:
    with transaction() as session:
        dead = [make_delivery(session, status="dead") for _ in range(3)]
        other = make_delivery(session, "console", status="dead")
    page = admin.get("/deliveries?status=dead")
    assert "Send all 3 to N8n again" in page.text
    data = {"csrf_token": csrf_token(page), "destination": "n8n"}
    answer = admin.post("/deliveries/attempts", data=data, follow_redirects=True)
    assert answer.status_code == 200
    assert [status_of(d) for d in (*dead, other)] == ["pending"] * 3 + ["dead"]
    for key in ("nothing", "", "\x00"):
        answer = admin.post("/deliveries/attempts", data={**data, "destination": key})
        assert answer.status_code == 404


def test_a_paused_destination_is_said_on_every_page_and_resumed(admin: FlaskClient) -> None:
    with transaction() as session:
        delivery = make_delivery(session, status="failed", attempt_count=1)
        session.get_one(Destination, "n8n").paused_at = clock.now()
    for path in ("/sessions", "/deliveries", f"/sessions/{delivery.session_id}", "/notices"):
        assert "N8n is paused." in admin.get(path).text, path
    data = {"csrf_token": csrf_token(admin.get("/sessions"))}
    page = admin.post("/destinations/n8n/test", data=data, follow_redirects=True)
    assert "A test is on its way to N8n." in page.text
    with transaction() as session:
        tests = session.scalars(select(Delivery).where(Delivery.event == "lead.test")).all()
    assert len(tests) == 1
    page = admin.post("/destinations/n8n/resumption", data=data, follow_redirects=True)
    assert "N8n is resumed." in page.text
    assert "is paused" not in admin.get("/sessions").text
    for move in ("test", "resumption"):
        assert admin.post(f"/destinations/nothing/{move}", data=data).status_code == 404


def test_an_agent_sees_the_pause_and_may_not_end_it(agent: FlaskClient) -> None:
    with transaction() as session:
        make_delivery(session, status="dead")
        session.get_one(Destination, "n8n").paused_at = clock.now()
    page = agent.get("/deliveries")
    assert "Please tell an admin" in page.text
    assert "Resume" not in page.text
    assert "Send again" in page.text
    for move in ("test", "resumption"):
        answer = agent.post(f"/destinations/n8n/{move}", data={"csrf_token": csrf_token(page)})
        assert answer.status_code == 403
        assert "Ask an admin" in answer.text


@pytest.mark.parametrize("path", ["/sessions/{}", "/sessions/{}/live", "/sessions/nonsense"])
def test_a_session_that_is_not_there(admin: FlaskClient, path: str) -> None:
    answer = admin.get(path.format(uuid.uuid4()))
    assert answer.status_code == 404
    assert "Go to the sessions" in answer.text


@pytest.mark.parametrize("query", ["completion_status=x", "completion_status=%00", "colour=red"])
def test_a_wrong_filter_in_the_address_counts_as_none(admin: FlaskClient, query: str) -> None:
    assert admin.get(f"/sessions?{query}", follow_redirects=True).status_code == 200
    path = f"/deliveries?status=%00&destination=%00&{query}"
    assert admin.get(path, follow_redirects=True).status_code == 200
    assert admin.get("/sessions?cursor=nonsense").status_code == 422


def test_times_are_shown_in_the_users_zone(admin: FlaskClient) -> None:
    user = make_user("eve@example.com")
    with transaction() as session:
        session.merge(user).timezone = "America/New_York"
        moment = clock.now().replace(year=2020, month=7, day=1, hour=16, minute=5, second=9)
        make_chat(session, started_at=moment)
    sign_out_and_in(admin, "eve@example.com")
    assert "1 Jul 2020, 12:05:09 EDT" in admin.get("/sessions").text


def sign_out_and_in(client: FlaskClient, email: str) -> None:
    client.post("/logout", data={"csrf_token": csrf_token(client.get("/sessions"))})
    sign_in(client, email=email)


def status_of(delivery: Delivery) -> str:
    db.session.rollback()
    return db.session.get_one(Delivery, delivery.id, populate_existing=True).status


@pytest.mark.parametrize(
    ("path", "status", "what_to_do"),
    [
        ("/sessions?cursor=x", 422, "start again from the list"),
        ("/sync?cursor=x", 422, "start again from the list"),
        ("/logout", 405, "press the button once more"),
    ],
)
def test_an_address_that_is_wrong_is_answered_in_everyday_words(
    admin: FlaskClient, path: str, status: int, what_to_do: str
) -> None:
    answer = admin.get(path)
    assert answer.status_code == status
    assert "That did not work" in answer.text
    assert what_to_do in answer.text
    for machine_word in ("Unprocessable", "marked", "Not Allowed", "method", "JSON"):
        assert machine_word not in re.sub(r"<[^>]*>", " ", answer.text)
