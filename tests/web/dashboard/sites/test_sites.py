"""The pages of sites: phrases tried, tested on the past, saved; nothing typed is lost."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.completion import backtest, backtest_save
from app.core.db import transaction
from app.models import ChatSession, Run, Site
from app.runs import engine
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted
from tests.web.pages import said
from tests.web.signed_in import csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def site() -> Site:
    with transaction() as session:
        return make_site(session, key="harbour", name="Harbour", phrases=["within 24 hours"])


def send(client: FlaskClient, path: str, **values: str) -> TestResponse:
    typed = {
        "phrases": "within 24 hours",
        "exclusions": "",
        "message": "",
        "partial_after_minutes": "30",
        "memory_table": "",
    }
    token = csrf_token(client.get("/sites/harbour"))
    return client.post(path, data={**typed, "csrf_token": token, **values})


def made(answer: TestResponse) -> str:
    assert answer.status_code == 302, answer.text
    return str(answer.location)


def test_only_admins_see_and_change_sites(app: Flask, site: Site) -> None:
    nobody, agent = app.test_client(), app.test_client()
    make_user("bob@example.com", role="agent")
    sign_in(agent, email="bob@example.com")
    token = csrf_token(agent.get("/sessions"))
    some_id = uuid.uuid4()
    for path in ("/sites", "/sites/harbour", f"/sites/harbour/backtests/{some_id}"):
        assert nobody.get(path).status_code == 302
        assert agent.get(path).status_code == 403
    for path in (
        "/sites/harbour/trials",
        "/sites/harbour/settings",
        "/sites/harbour/backtests",
        f"/sites/harbour/backtests/{some_id}/adoption",
        f"/sites/harbour/backtests/{some_id}/continuation",
    ):
        assert agent.post(path, data={"csrf_token": token}).status_code == 403, path
    assert "/sites" not in agent.get("/sessions").text


def test_a_post_without_its_token_does_nothing(admin: FlaskClient, site: Site) -> None:
    assert admin.post("/sites/harbour/backtests", data={"phrases": "x"}).status_code == 400
    with transaction() as session:
        assert session.scalar(select(Run.id)) is None


def test_the_list_names_every_site_with_few_queries(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        make_site(session, name="Oak", exclusions=["not"])
    with counted() as few:
        page = admin.get("/sites")
    assert "Harbour" in page.text
    assert "1 phrase, 1 exclusion" in said(page)
    assert "/widget/harbour" in page.text
    with transaction() as session:
        for _ in range(20):
            make_site(session)
    with counted() as many:
        admin.get("/sites")
    assert len(many) == len(few)


def test_no_site_is_said_so(admin: FlaskClient) -> None:
    assert "No sites yet" in admin.get("/sites").text
    assert admin.get("/sites/nobody").status_code == 404


@pytest.mark.parametrize(
    ("message", "verdict", "marked"),
    [
        ("We call within 24h.", "This completes a session.", "<mark>within 24h</mark>"),
        ("We do not call within 24h.", "does not complete", '<mark class="mark-out">'),
        ("Hello <b>there</b>", "None of the phrases is in it.", ""),
    ],
)
def test_a_message_is_tried(
    admin: FlaskClient, site: Site, message: str, verdict: str, marked: str
) -> None:
    page = send(admin, "/sites/harbour/trials", exclusions="not", message=message)
    assert page.status_code == 200
    assert verdict in page.text
    assert marked in page.text
    assert ">not</textarea>" in page.text  # what was typed is still there


@pytest.mark.parametrize(
    ("field", "words", "problem"),
    [
        ("phrases", "", "at least one phrase"),
        ("phrases", " \n** \n", "at least one word"),
        ("phrases", "\n".join(f"phrase {n}" for n in range(101)), "at most 100"),
        ("phrases", "good\n" + "x" * 301, "at most 300 characters"),
        ("exclusions", "\n".join(f"not {n}" for n in range(101)), "at most 100"),
        ("exclusions", "bad\x07one", "control characters"),
    ],
)
def test_wrong_phrases_are_said_beside_their_field_and_kept(
    admin: FlaskClient, site: Site, field: str, words: str, problem: str
) -> None:
    page = send(admin, "/sites/harbour/backtests", **{"message": "Try me", field: words})
    assert page.status_code == 422
    assert re.search(rf'id="{field}-error"[^§]*?{problem}', page.text)
    assert "Try me</textarea>" in page.text
    assert words.strip().splitlines()[-1:] == [] or words.strip().splitlines()[-1] in page.text
    with transaction() as session:
        assert session.scalar(select(Run.id)) is None


def test_settings_are_saved_and_typed_phrases_stay(admin: FlaskClient, site: Site) -> None:
    page = send(
        admin,
        "/sites/harbour/settings",
        partial_after_minutes="0",
        memory_table="n8n_chat",
        phrases="a new phrase",
    )
    assert page.status_code == 200
    assert "a new phrase</textarea>" in page.text
    with transaction() as session:
        saved = session.get_one(Site, site.id, populate_existing=True)
        assert (saved.partial_after_minutes, saved.memory_table) == (0, "n8n_chat")
        assert saved.phrases == ["within 24 hours"]
    page = send(admin, "/sites/harbour/settings", partial_after_minutes="5")
    assert page.status_code == 302


def test_settings_changed_beside_tested_phrases_are_not_lost(
    admin: FlaskClient, site: Site
) -> None:
    wrong = send(admin, "/sites/harbour/backtests", memory_table="a b")
    assert wrong.status_code == 422
    made(send(admin, "/sites/harbour/backtests", memory_table="n8n_chat"))
    with transaction() as session:
        assert session.get_one(Site, site.id, populate_existing=True).memory_table == "n8n_chat"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("partial_after_minutes", "soon"),
        ("partial_after_minutes", "-1"),
        ("partial_after_minutes", "99999"),
        ("memory_table", "a b"),
        ("memory_table", "x; DROP TABLE sites"),
    ],
)
def test_a_wrong_setting_is_said_and_kept(
    admin: FlaskClient, site: Site, field: str, value: str
) -> None:
    page = send(admin, "/sites/harbour/settings", **{field: value, "phrases": "typed"})
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert f'value="{value}"' in page.text
    assert "typed</textarea>" in page.text


def test_phrases_are_tested_and_saved_from_the_test(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        chat = make_chat(session, site)
        make_message(session, chat)
        make_message(session, chat, role="assistant", text="Good. You are booked & set!")
        make_lead(session, chat, name="Ann & Co")
    answer = send(
        admin, "/sites/harbour/backtests", phrases="within 24 hours\r\nyou are booked & set\r\n\r\n"
    )
    path = made(answer)
    page = admin.get(path)
    assert "Reading past sessions" in page.text
    assert "data-running" in page.text
    assert "Save these phrases" not in page.text
    backtest_id = uuid.UUID(path.rsplit("/", 1)[1])
    backtest.run(backtest_id)
    page = admin.get(path)
    assert "1 would newly complete; 0 completed ones would not have" in said(page)
    assert "<mark>You are booked &amp; set</mark>!" in page.text
    assert "Ann &amp; Co" in page.text
    assert f"/sessions/{chat.id}#message-" in page.text
    assert "Also complete this session (its lead is sent)" in page.text
    # Back to the editor with what was proposed, though nothing is saved.
    editor = admin.get(f"/sites/harbour?backtest={backtest_id}")
    assert "you are booked &amp; set</textarea>" in editor.text
    saved = send(admin, f"{path}/adoption", past="complete")
    assert saved.status_code == 302
    assert "Past sessions are being completed" in admin.get(path).text
    assert "still being carried out" in admin.get("/sites/harbour").text
    backtest_save.apply(backtest_id)
    assert "their leads are on their way" in admin.get(path).text
    with transaction() as session:
        done = session.get_one(ChatSession, chat.id, populate_existing=True)
        assert (done.completion_cause, done.completion_phrase) == ("user", "you are booked & set")
        assert (
            session.get_one(Site, site.id, populate_existing=True).phrases[1]
            == "you are booked & set"
        )
    again = send(admin, f"{path}/adoption", past="complete")
    assert again.status_code == 409
    assert "saved already" in again.text


def test_nothing_about_the_past_is_chosen_means_it_is_left(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        chat = make_chat(session, site)
        make_message(session, chat)
        make_message(session, chat, role="assistant", text="You are booked")
    path = made(send(admin, "/sites/harbour/backtests", phrases="you are booked"))
    backtest_id = uuid.UUID(path.rsplit("/", 1)[1])
    backtest.run(backtest_id)
    send(admin, f"{path}/adoption")
    backtest_save.apply(backtest_id)
    assert "Past sessions are left as they were" in admin.get(path).text
    with transaction() as session:
        left = session.get_one(ChatSession, chat.id, populate_existing=True)
        assert (left.completion_status, left.discounted_message_id is None) == (
            "in_progress",
            False,
        )


def test_long_lists_of_findings_have_pages(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        for n in range(60):
            chat = make_chat(session, site)
            make_message(session, chat)
            make_message(session, chat, role="assistant", text=f"You are booked, number {n}.")
    path = made(send(admin, "/sites/harbour/backtests", phrases="you are booked"))
    backtest.run(uuid.UUID(path.rsplit("/", 1)[1]))
    seen: list[str] = []
    with counted() as queries:
        page = admin.get(path)
    assert len(queries) < 12
    while True:
        seen += re.findall(r"number (\d+)\.", page.text)
        following = re.search(r'rel="next" href="([^"#]+)', page.text)
        if not following:
            break
        page = admin.get(following[1].replace("&amp;", "&"))
    assert sorted(map(int, seen)) == list(range(60))


def test_a_broken_run_says_what_holds_and_can_go_on(admin: FlaskClient, site: Site) -> None:
    path = made(send(admin, "/sites/harbour/backtests"))
    backtest_id = uuid.UUID(path.rsplit("/", 1)[1])
    with transaction() as session:
        engine.finish(session.get_one(Run, backtest_id), engine.WENT_WRONG)
    page = admin.get(path)
    assert "Something went wrong on our side" in page.text
    assert "Go on" in page.text
    assert send(admin, f"{path}/continuation").status_code == 302
    backtest.run(backtest_id)
    assert "Tested" in admin.get(path).text
    made(send(admin, f"{path}/adoption"))
    with transaction() as session:
        engine.finish(session.get_one(Run, backtest_id), engine.WENT_WRONG)
    assert "not every past session is settled" in admin.get(path).text


def test_another_sites_test_is_not_found(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        make_site(session, key="oak")
    path = made(send(admin, "/sites/harbour/backtests"))
    assert admin.get(path.replace("harbour", "oak")).status_code == 404
    assert send(admin, path.replace("harbour", "oak") + "/adoption").status_code == 404
