"""QA by its pages, without JavaScript: the queue, the forms, what was typed stays."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.core.db import transaction
from app.models import AuditEntry, ChatSession, QaMove
from app.review import qa_looks
from tests.factories import make_chat, make_message, make_site
from tests.reporting.queries import counted
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")
WRONG = "Said we open at 25 o'clock"


def spoken(minutes_ago: int = 0, **values: object) -> uuid.UUID:
    with transaction() as session:
        started_at = clock.now() - timedelta(minutes=minutes_ago)
        chat = make_chat(session, started_at=started_at, **values)
        make_message(session, chat, text="My tooth hurts")
        make_message(session, chat, role="assistant", text="We open at 25 o'clock")
        return chat.id


def send(
    client: FlaskClient, page: TestResponse, chat: uuid.UUID, **values: object
) -> TestResponse:
    """What the form on this page sends, with these values."""
    status = re.search(r'name="expected_status" value="(\w+)"', page.text)
    data = {"csrf_token": csrf_token(page), "expected_status": status and status[1], **values}
    return client.post(f"/sessions/{chat}/qa", data=data)


def issue(page: TestResponse) -> dict[str, object]:
    message = re.search(r'<option value="(\d+)"[^>]*>Assistant', page.text)
    assert message
    whole = {"to_status": "issue", "note": WRONG, "category": "wrong_answer"}
    return {**whole, "message_id": message[1]}


def test_the_queue_goes_from_the_oldest_on_and_ends(agent: FlaskClient) -> None:
    with transaction() as session:
        silent = make_chat(session, started_at=clock.now() - timedelta(days=2))
        make_message(session, silent, role="assistant", text="Hello!")
    spoken(50, archive_status="archived")
    chats = [spoken(30), spoken(20), spoken(10, completion_status="completed")]
    walk = {"tab": "unchecked"}

    first = agent.get("/qa")
    assert first.location == f"/qa/{chats[0]}?tab=unchecked"
    skipped = agent.get("/qa/next", query_string={"after": chats[0], **walk})
    assert skipped.location == f"/qa/{chats[1]}?tab=unchecked"
    round_again = agent.get("/qa/next", query_string={"after": chats[2], **walk})
    assert round_again.location == f"/qa/{chats[0]}?tab=unchecked"
    completed = agent.get("/qa", query_string={"completed": "yes"})
    assert completed.location == f"/qa/{chats[2]}?tab=unchecked&completed=yes"

    page = agent.get(first.location)
    assert "3 are left" in page.text
    for nth, chat in enumerate(chats):
        answer = send(agent, page, chat, to_status="passed", **walk)
        assert f"was={chat}" in answer.location
        page = agent.get(answer.location, follow_redirects=True)
        assert "Marked as passed" in page.text
        assert ("All conversations are checked" in page.text) is (nth == 2)
    undone = re.search(r'name="move_id" value="(\d+)"', page.text)
    assert undone
    data = {"csrf_token": csrf_token(page), "move_id": undone[1], **walk}
    answer = agent.post(f"/sessions/{chats[2]}/qa/undo", data=data)
    assert answer.location == f"/qa/{chats[2]}?tab=unchecked"
    with transaction() as session:
        assert session.get_one(ChatSession, chats[2]).qa_status == "unchecked"
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert noted[-4:] == ["session.qa_moved"] * 3 + ["session.qa_undone"]


def test_a_form_error_stands_at_its_field_and_what_was_typed_stays(agent: FlaskClient) -> None:
    chat = spoken()
    page = agent.get(f"/sessions/{chat}")
    whole = issue(page)
    answer = send(agent, page, chat, **{**whole, "category": ""})
    assert answer.status_code == 422
    assert re.search(r'id="qa-category"[^>]*aria-invalid="true"', answer.text)
    assert "Please choose what kind of problem it is." in answer.text
    assert "Said we open at 25 o&#39;clock</textarea>" in answer.text
    assert f'value="{whole["message_id"]}" selected' in answer.text
    answer = send(agent, answer, chat, **whole)
    assert answer.location == f"/sessions/{chat}#qa"
    page = agent.get(f"/sessions/{chat}")
    assert "bob@example.com reported an issue: wrong answer" in page.text
    assert WRONG.replace("'", "&#39;") in page.text


def test_a_site_that_no_database_can_read_is_no_site(agent: FlaskClient) -> None:
    assert agent.get("/qa?site=%00").status_code == 200


def test_the_second_reviewer_is_told_and_keeps_what_was_typed(
    app: Flask, admin: FlaskClient, agent: FlaskClient
) -> None:
    chat, after = spoken(20), spoken(10)
    address = f"/qa/{chat}?tab=unchecked"
    hers, his = admin.get(address), agent.get(address)
    send(agent, his, chat, **issue(his), tab="unchecked")

    told = send(admin, hers, chat, **{**issue(hers), "note": "No such hour", "tab": "unchecked"})
    assert told.status_code == 409
    assert "Meanwhile bob@example.com has decided" in told.text
    assert "No such hour</textarea>" in told.text
    # Nothing was typed: told, and on to the next one.
    on = send(admin, hers, chat, to_status="passed", tab="unchecked")
    assert on.location == f"/qa/next?after={chat}&tab=unchecked"
    page = admin.get(on.location, follow_redirects=True)
    assert page.request.path == f"/qa/{after}"
    assert "Meanwhile bob@example.com has decided" in page.text
    with transaction() as session:
        assert len(session.scalars(select(QaMove.id)).all()) == 1


def test_lists_and_numbers_take_the_same_queries_for_any_size(agent: FlaskClient) -> None:
    for path in ("/qa?tab=issue", "/qa?tab=fixed", "/qa/numbers", "/qa/numbers?period=own&from=x"):
        assert agent.get(path).status_code == 200
    assert "No open issues" in agent.get("/qa?tab=issue").text
    asked = []
    for _ in range(2):
        for _ in range(4):
            chat = spoken(5)
            page = agent.get(f"/sessions/{chat}")
            send(agent, page, chat, **issue(page))
        with counted() as statements:
            listed = agent.get("/qa?tab=issue")
            agent.get("/qa/numbers")
        asked.append(len(statements))
    assert listed.text.count(WRONG.replace("'", "&#39;")) == 8
    assert asked[0] == asked[1]
    assert "100 %" in agent.get("/qa/numbers").text


def test_only_one_site(agent: FlaskClient) -> None:
    with transaction() as session:
        site = make_site(session, key="harbour")
        site_id = site.id
    spoken(20)
    with transaction() as session:
        chat = make_chat(session, session.get_one(type(site), site_id))
        make_message(session, chat)
    assert agent.get("/qa?site=harbour").location == f"/qa/{chat.id}?tab=unchecked&site=harbour"
    assert agent.get("/qa?site=nowhere").status_code == 200


def test_two_reviewers_are_led_to_different_sessions(
    app: Flask, admin: FlaskClient, agent: FlaskClient
) -> None:
    first, second = spoken(20), spoken(10)
    hers = admin.get("/qa", follow_redirects=True)
    his = agent.get("/qa", follow_redirects=True)
    assert (hers.request.path, his.request.path) == (f"/qa/{first}", f"/qa/{second}")
    # There is no other left: both look at it, and the second one knows.
    send(agent, his, second, to_status="passed", tab="unchecked")
    both = agent.get("/qa", follow_redirects=True)
    assert both.request.path == f"/qa/{first}"
    assert "ann@example.com is looking at this one, too." in both.text
    third = spoken(30)
    with clock.moved(qa_looks.LOOKS_FOR):  # long since gone
        assert admin.get("/qa").location.startswith(f"/qa/{third}")
        assert "looking" not in agent.get(f"/qa/{first}").text


def test_a_session_deleted_meanwhile_does_not_end_the_way_through_the_queue(
    agent: FlaskClient,
) -> None:
    first, gone, last = spoken(30), spoken(20), spoken(10)
    page = agent.get(f"/qa/{gone}?tab=unchecked")
    with transaction() as session:
        session.delete(session.get_one(ChatSession, gone))
    undo = {"csrf_token": csrf_token(page), "move_id": "1", "tab": "unchecked"}
    for answer_of in (
        lambda: send(agent, page, gone, to_status="passed", tab="unchecked"),
        lambda: agent.post(f"/sessions/{gone}/qa/undo", data=undo),
        lambda: agent.get(f"/qa/{gone}?tab=unchecked"),
    ):
        answer = answer_of()
        assert answer.status_code == 302, answer.text
        shown = agent.get(answer.location, follow_redirects=True)
        assert shown.request.path in (f"/qa/{first}", f"/qa/{last}")
        assert "It may have been deleted" in shown.text
    # Outside the queue nothing comes next.
    assert agent.get(f"/qa/{gone}").status_code == 404
    assert send(agent, page, gone, to_status="passed").status_code == 404
