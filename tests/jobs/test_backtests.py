"""A real worker tests phrases on past sessions, and carries out what was saved."""

from __future__ import annotations

from app.completion import backtest, backtest_save
from app.core.db import transaction
from app.models import ChatSession, Run
from tests.delivery.conftest import Outbox
from tests.factories import make_chat, make_message, make_site
from tests.jobs.workers import PATIENCE_SECONDS, Start
from tests.web.signed_in import make_user


def test_a_worker_tests_and_applies(outbox_of: Outbox, start_worker: Start) -> None:
    user = make_user()
    with transaction() as session:
        site = make_site(session)
        chat = make_chat(session, site)
        make_message(session, chat, is_checked=True)
        make_message(session, chat, role="assistant", text="You are booked", is_checked=True)
        backtest_id = backtest.start(session, site.id, ["you are booked"], [], None).id
    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0
    with transaction() as session:
        tested = session.get_one(Run, backtest_id, populate_existing=True)
        assert (tested.status, tested.report["newly_count"]) == ("done", 1)
        backtest_save.save(session, backtest_id, user.id, complete_past=True)
    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0
    with transaction() as session:
        done = session.get_one(ChatSession, chat.id, populate_existing=True)
        assert done.completion_cause == "user"
