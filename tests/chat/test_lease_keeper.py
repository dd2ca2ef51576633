"""A turn lives as long as its process gives signs of life."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import pytest
from flask import Flask

from app.chat import lease_keeper, turn, turn_store
from app.core import clock
from tests.assistants.stand import Stand
from tests.chat.answers import chat_with, stand
from tests.chat.test_turn import answer_all, in_thread, lines

__all__ = ["stand"]


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_store, "LEASE_SECONDS", 0.8)
    monkeypatch.setattr(lease_keeper, "KEEP_EVERY_SECONDS", 0.1)
    # The thread of earlier tests sleeps for longer.
    monkeypatch.setattr(lease_keeper, "_keeper", lease_keeper._Keeper())


def test_a_turn_stays_its_answerers_however_long_it_thinks(
    stand: Stand, app: Flask, short_leases: None
) -> None:
    chat_id = chat_with()
    stand.before_part = lambda: time.sleep(2.0)
    thread = in_thread(app, chat_id, "Hi")
    for _ in range(15):
        time.sleep(0.1)
        assert turn_store.claim(chat_id) is None
    thread.join()
    assert lines(chat_id)[1:] == [("visitor", "Hi"), ("assistant", "How can we help?")]


def test_the_turn_of_a_process_that_died_is_soon_anybodys(stand: Stand, short_leases: None) -> None:
    chat_id = chat_with()
    turn.receive(chat_id, uuid.uuid4(), "Hi")  # and nobody goes on
    assert turn_store.claim(chat_id) is None
    with clock.moved(timedelta(seconds=1)):
        assert answer_all() == 0  # a moment longer is left to who asks again
        assert turn_store.claim(chat_id) is not None
