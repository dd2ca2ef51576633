"""Opening a session again while it is being sent, completed or opened by somebody else."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.completion.sweep import sweep
from app.core.db import transaction
from app.delivery.send import drain
from app.models import Delivery
from app.review.completion import complete_by_hand, reopen_by_hand
from tests.delivery.conftest import Outbox, n8n, outbox_of  # noqa: F401 - fixtures
from tests.factories import make_chat, make_message
from tests.fakes.n8n import N8n


def completed() -> uuid.UUID:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text="Hello")
        complete_by_hand(session, chat.id, None)
        return chat.id


@pytest.mark.parametrize(("answer", "ends"), [(200, "delivered"), (500, "cancelled")])
def test_opened_again_while_it_is_being_sent(
    app: Flask,
    outbox_of: Outbox,  # noqa: F811
    n8n: N8n,  # noqa: F811
    answer: int,
    ends: str,
) -> None:
    chat_id = completed()
    n8n.takes_seconds = 1.0
    n8n.behave(answer)
    sending = threading.Thread(target=_in_context, args=(app, lambda: drain("n8n")))
    sending.start()
    n8n.wait_for(1)
    with transaction() as session:
        assert reopen_by_hand(session, chat_id, None) == 1
    sending.join()
    with transaction() as session:
        session.expire_all()
        assert session.scalars(select(Delivery.status)).all() == [ends]
    drain("n8n")
    assert len(n8n.received) == 1


def test_many_who_complete_and_open_again_at_once_never_send_twice(
    app: Flask,
    outbox_of: Outbox,  # noqa: F811
    n8n: N8n,  # noqa: F811
) -> None:
    chat_id = completed()
    with transaction() as session:
        session.execute(text("UPDATE messages SET is_checked = false"))

    def turn(number: int) -> None:
        with app.app_context():
            if number % 4 == 3:
                sweep(1.0)
            elif number % 4 == 2:
                drain("n8n")
            else:
                move = reopen_by_hand if number % 2 else complete_by_hand
                with transaction() as session:
                    move(session, chat_id, None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(turn, range(80)))
    with transaction() as session:
        complete_by_hand(session, chat_id, None)
    drain("n8n")
    types = [each.event["type"] for each in n8n.received]
    assert types.count("lead.completed") == 1
    assert len({each.webhook_id for each in n8n.received}) == len(n8n.received)
    with transaction() as session:
        kinds = session.scalars(text("SELECT kind FROM session_events ORDER BY id")).all()
    assert kinds[::2] == ["completed"] * len(kinds[::2])
    assert kinds[1::2] == ["reopened"] * len(kinds[1::2])


def _in_context(app: Flask, work: object) -> None:
    with app.app_context():
        work()  # type: ignore[operator]
