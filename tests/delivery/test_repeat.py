"""Sending again: once, whoever presses, and however many at a time."""

from __future__ import annotations

import contextvars
import threading
import uuid

from flask import Flask
from sqlalchemy import select

from app.core.db import db, transaction
from app.delivery import repeat
from app.models import Delivery
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
