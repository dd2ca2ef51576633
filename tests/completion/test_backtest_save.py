"""Saving tested phrases: the past is settled as a person decided, and nothing slips in between."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.chat.turn import finish, receive
from app.completion import backtest, backtest_save, layers
from app.completion.detection import compile_phrases
from app.completion.judge import judge
from app.completion.known_sites import known_site
from app.completion.reopen import leave_open, reopen
from app.core.db import transaction
from app.core.errors import Conflict
from app.models import ChatSession, Lead, Run, SessionEvent, Site, User
from app.sites.edit import change_site
from tests.completion.history import brute_force, make_history
from tests.factories import make_chat, make_message, make_site
from tests.web.signed_in import make_user

pytestmark = pytest.mark.usefixtures("database")
OLD, NEW = "within 24 hours", "you are booked"


@pytest.fixture(autouse=True)
def _layers() -> Iterator[None]:
    before = layers._active
    layers.configure(("live", "auto_sync", "sweep", "manual_sync"))
    yield
    layers.configure(tuple(before))


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def site() -> Site:
    with transaction() as session:
        return make_site(session, phrases=[OLD])


def say(site: Site, *texts: str, is_checked: bool = True) -> uuid.UUID:
    """A session in which the assistant says these after the visitor's greeting."""
    with transaction() as session:
        chat = make_chat(session, site)
        make_message(session, chat, text="I am ann@example.com", is_checked=True)
        for words in texts:
            make_message(session, chat, role="assistant", text=words, is_checked=is_checked)
        return chat.id


def add(session_id: uuid.UUID, words: str, *, is_checked: bool = False) -> None:
    with transaction() as session:
        chat = session.get_one(ChatSession, session_id)
        make_message(session, chat, role="assistant", text=words, is_checked=is_checked)


def try_out(site: Site, *phrases: str) -> uuid.UUID:
    with transaction() as session:
        backtest_id = backtest.start(session, site.id, list(phrases), [], None).id
    backtest.run(backtest_id)
    return backtest_id


def save(backtest_id: uuid.UUID, user: User, *, complete_past: bool) -> None:
    with transaction() as session:
        backtest_save.save(session, backtest_id, user.id, complete_past=complete_past)


def sweep(*session_ids: uuid.UUID) -> None:
    with transaction() as session:
        judge(session, session_ids, "sweep")


def cause(session_id: uuid.UUID) -> str | None:
    with transaction() as session:
        return session.get_one(ChatSession, session_id, populate_existing=True).completion_cause


def second_look(backtest_id: uuid.UUID) -> None:
    with transaction() as session:
        job = session.connection().exec_driver_sql(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'settle_rules'"
        )
        arguments = job.scalar_one()
    backtest_save.settle(uuid.UUID(arguments["site_id"]), arguments["change"])


def test_the_past_is_completed_in_the_name_of_who_saved(site: Site, user: User) -> None:
    session_id = say(site, "You are booked!")
    backtest_id = try_out(site, NEW)
    later = say(site, "Great, you are booked.")  # after the test, before the save
    save(backtest_id, user, complete_past=True)
    backtest_save.apply(backtest_id)
    with transaction() as session:
        for each in (session_id, later):
            chat = session.get_one(ChatSession, each)
            assert (chat.completion_cause, chat.completion_phrase) == ("user", NEW)
        assert session.scalar(select(func.count()).select_from(Lead)) == 2
        event = session.scalars(select(SessionEvent).limit(1)).one()
        assert (event.kind, event.user_id) == ("completed", user.id)
        done = session.get_one(Run, backtest_id)
        assert (done.status, done.parameters["change"]["complete_past"]) == ("done", True)


def test_phrases_changed_again_before_the_job_complete_nothing_untested(
    site: Site, user: User
) -> None:
    tested, untested = say(site, "You are booked!"), say(site, "A kitchen, I see.")
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=True)
    with transaction() as session:
        change_site(session, site.key, {"phrases": ["kitchen"]})
    backtest_save.apply(backtest_id)
    second_look(backtest_id)
    assert (cause(tested), cause(untested)) == ("user", None)


def test_left_as_it_is_no_layer_completes_the_past_but_a_newer_promise_does(
    site: Site, user: User
) -> None:
    session_id = say(site, "You are booked!")
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=False)
    sweep(session_id)  # between the save and its job
    assert cause(session_id) is None
    backtest_save.apply(backtest_id)
    sweep(session_id)
    assert cause(session_id) is None
    add(session_id, "You are booked for Tuesday.")
    sweep(session_id)
    assert cause(session_id) == "sweep"


def test_a_promise_under_the_old_phrases_that_nobody_judged_yet_is_not_lost(
    site: Site, user: User
) -> None:
    before_job = say(site, "We call within 24 hours.", is_checked=False)
    by_job = say(site, "We call within 24 hours. You are booked.", is_checked=False)
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=False)
    sweep(before_job)
    assert cause(before_job) == "sweep"
    backtest_save.apply(backtest_id)
    assert cause(by_job) == "sweep"


def test_a_promise_between_save_and_job_counts_by_the_new_phrases(site: Site, user: User) -> None:
    past_and_new = say(site, "You are booked!")
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=False)
    add(past_and_new, "Yes, you are booked.", is_checked=True)  # judged by the old rule
    old_words = say(site, "We call within 24 hours.", is_checked=False)
    sweep(old_words)
    assert cause(old_words) is None
    backtest_save.apply(backtest_id)
    assert cause(past_and_new) == "sweep"


def test_an_answer_that_was_thought_over_at_the_save_is_looked_at_again(
    site: Site, user: User
) -> None:
    session_id = say(site, "One moment.")
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=False)
    backtest_save.apply(backtest_id)
    add(session_id, "You are booked.", is_checked=True)  # by a turn that knew the old rule
    second_look(backtest_id)
    assert cause(session_id) == "sweep"


def test_the_word_of_a_person_stands(site: Site, user: User) -> None:
    reopened = say(site, "We call within 24 hours. You are booked.")
    left = say(site, "You are booked.")
    sweep(reopened)
    with transaction() as session:
        reopen(session, reopened, user.id)
        leave_open(session, left, user.id)
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=True)
    backtest_save.apply(backtest_id)
    assert [cause(reopened), cause(left)] == [None, None]


@pytest.mark.parametrize("complete_past", [True, False])
def test_a_mixed_history_is_settled_session_by_session(
    site: Site, user: User, monkeypatch: pytest.MonkeyPatch, *, complete_past: bool
) -> None:
    monkeypatch.setattr(backtest_save, "PIECE", 20)
    rule = compile_phrases((NEW,))
    with transaction() as session:
        make_history(session, site, 150)
        expected = brute_force(session, session.merge(site), rule)["newly"]
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=complete_past)
    looks = iter([False, False, True])
    backtest_save.apply(backtest_id, lambda: next(looks))
    backtest_save.apply(backtest_id)  # goes on
    kind = "completed" if complete_past else "left_open"
    with transaction() as session:
        told = session.scalars(select(SessionEvent.session_id).where(SessionEvent.kind == kind))
        assert sorted(told) == sorted(expected)


def test_new_phrases_hold_at_once_for_every_judge(site: Site, user: User) -> None:
    before = site.updated_at
    backtest_id = try_out(site, NEW)
    save(backtest_id, user, complete_past=False)
    with transaction() as session:
        saved = session.get_one(Site, site.id, populate_existing=True)
        rule = known_site(site.id, saved.updated_at, session).rule
    assert saved.updated_at > before
    assert (rule.find("You are booked"), rule.find("within 24 hours")) == (NEW, None)
    session_id = say(site, "You are booked.", is_checked=False)
    sweep(session_id)
    assert cause(session_id) == "sweep"


def test_new_phrases_hold_for_live_turns(site: Site, user: User) -> None:
    def answer(session_id: uuid.UUID) -> None:
        finish(receive(session_id, uuid.uuid4(), "Hello, I need a kitchen"))

    before, after = say(site), say(site)
    answer(before)
    backtest_id = try_out(site, "what is your name")
    save(backtest_id, user, complete_past=False)
    answer(after)
    assert [cause(before), cause(after)] == [None, "live"]
    backtest_save.apply(backtest_id)
    assert cause(before) is None


def test_what_cannot_be_saved(site: Site, user: User) -> None:
    first, second, third = try_out(site, NEW), try_out(site, "see you"), try_out(site, OLD, NEW)
    with transaction() as session:
        running = backtest.start(session, site.id, ["x"], [], None).id
    with pytest.raises(Conflict, match="not finished"):
        save(running, user, complete_past=False)
    save(first, user, complete_past=False)
    with pytest.raises(Conflict, match="already"):
        save(first, user, complete_past=False)
    with pytest.raises(Conflict, match="changed since"):
        save(second, user, complete_past=False)
    fourth = try_out(site, "see you")
    with pytest.raises(Conflict, match="still being carried out"):
        save(fourth, user, complete_past=False)
    backtest_save.apply(first)
    save(fourth, user, complete_past=False)
    with pytest.raises(Conflict):
        save(third, user, complete_past=False)
