"""Sending again: once, whoever presses, and however many at a time."""

from __future__ import annotations

import contextvars
import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.core.db import db, transaction
from app.delivery import health, outbox, repeat
from app.delivery.send import drain
from app.models import Delivery
from app.review.delete import delete_session
from tests.delivery.conftest import Outbox
from tests.fakes.n8n import N8n
from tests.reporting.test_deliveries import make_delivery


def test_two_who_press_at_once_send_each_once(database: Flask) -> None:
    """In whatever order each has ticked them, neither waits for the other for ever."""
    with transaction() as session:
        asked = [make_delivery(session, status="dead").id for _ in range(40)]
    told: list[repeat.Repeated] = []
    start = threading.Barrier(4)

    def press(ids: list[uuid.UUID]) -> None:
        with database.app_context():
            start.wait(10)
            with transaction() as session:
                told.append(repeat.send_chosen_again(session, ids))

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(press, ids))
        for ids in (asked, asked[::-1], asked[20:] + asked[:20], asked[::2])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(told) == 4
    again = [delivery_id for each in told for delivery_id in each.ids]
    assert sorted(again) == sorted(asked)
    assert sum(each.left_out.get("under_way", 0) for each in told) == 100  # 140 presses for 40
    db.session.rollback()
    assert set(db.session.scalars(select(Delivery.status))) == {"pending"}


@pytest.mark.parametrize("other", ["reopen", "resume"])
def test_all_who_move_many_deliveries_lock_them_in_the_order_of_their_numbers(
    outbox_of: Outbox, database: Flask, other: str
) -> None:
    """Else who opens a session again, or resumes a destination, and who presses "Send again" meet
    on the same rows, and one of them is turned away. Neither ids nor places on the disk are in that
    order.
    """
    ann = outbox_of.lead()
    first, second = outbox_of.enqueue(ann), outbox_of.enqueue(ann, "lead.updated")
    low, high = uuid.UUID(int=1), uuid.UUID(int=2)
    with transaction() as session:
        for old, new in ((second, low), (first, high)):  # the first is written last
            session.execute(
                text("UPDATE deliveries SET id = :new, status = 'failed' WHERE id = :old"),
                {"old": old, "new": new},
            )
    wrong = list[Exception]()

    def move() -> None:
        with database.app_context():
            try:
                with transaction() as session:
                    if other == "resume":
                        health.resume(session, "n8n")
                    else:
                        assert ann.session_id is not None
                        outbox.withdraw(session, ann.session_id)
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=contextvars.Context().run, args=(move,))
    with transaction() as session:
        # This press stands between its first and its second row.
        session.execute(text("SELECT FROM deliveries WHERE id = :id FOR UPDATE"), {"id": high})
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assert set(repeat.send_again(session, [low, high])) == {low, high}
    thread.join(20)
    assert wrong == []
    db.session.rollback()
    after = {"reopen": "cancelled", "resume": "pending"}
    assert set(db.session.scalars(select(Delivery.status))) == {after[other]}


def test_what_is_deleted_while_it_is_being_sent_arrives_once_and_is_not_missed(
    outbox_of: Outbox, n8n: N8n, database: Flask
) -> None:
    ann, ben = outbox_of.lead(), outbox_of.lead()
    n8n.behave(500)
    n8n.takes_seconds = 0.5
    first = outbox_of.enqueue(ann)
    outbox_of.enqueue(ann, "lead.updated")
    sent = list[int]()

    def work() -> None:
        with database.app_context():
            sent.append(drain("n8n"))

    worker = threading.Thread(target=contextvars.Context().run, args=(work,))
    worker.start()
    while not n8n.received:
        worker.join(0.01)
    assert ann.session_id is not None
    with transaction() as session:
        delete_session(session, ann.session_id, None)
    last = outbox_of.enqueue(ben)
    worker.join(20)
    drain("n8n")
    assert n8n.ids == [str(first), str(last)]
    with transaction() as session:
        assert session.scalars(select(Delivery.id)).all() == [last]
        assert repeat.send_chosen_again(session, [first]).left_out == {"gone": 1}
