"""Several reviewers decide and take back at once, in threads of their own: what stands is one chain
of legal moves, each told of once.
"""

from __future__ import annotations

import contextvars
import random
import threading
import uuid
from itertools import pairwise

from flask import Flask
from sqlalchemy import select

from app.core.db import transaction
from app.core.errors import Conflict
from app.models import ChatSession, Delivery, QaMove, QaNotice
from app.review import qa
from tests.review.test_qa import decide, talk
from tests.web.signed_in import make_user

REVIEWERS, TURNS, SESSIONS = 4, 25, 2


def test_what_stands_is_one_chain_of_legal_moves(database: Flask) -> None:
    users = [make_user(f"r{number}@example.com").id for number in range(REVIEWERS)]
    with transaction() as session:
        chats = [talk(session).id for _ in range(SESSIONS)]
    start, broken = threading.Barrier(REVIEWERS), []

    def review(user_id: uuid.UUID, seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        for _ in range(TURNS):
            try:
                _one_turn(database, chance, chance.choice(chats), user_id)
            except Conflict:
                continue  # somebody was quicker, and it is said
            except Exception as error:  # whatever else happens is wrong
                broken.append(repr(error))

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(review, user_id, seed))
        for seed, user_id in enumerate(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []

    with transaction() as session:
        for chat_id in chats:
            of_chat = select(QaMove).where(QaMove.session_id == chat_id).order_by(QaMove.id)
            moves = session.scalars(of_chat).all()
            standing = [move for move in moves if move.undone_at is None]
            path = ["unchecked", *(move.to_status for move in standing)]
            assert [move.from_status for move in standing] == path[:-1]
            assert session.get_one(ChatSession, chat_id).qa_status == path[-1]
            assert all(after in qa.MOVES[before] for before, after in pairwise(path))
            assert len(moves) > len(standing) > 0
        undone = select(QaMove.id).where(QaMove.undone_at.is_not(None))
        waiting = select(QaNotice).where(QaNotice.sent_at.is_(None), QaNotice.move_id.in_(undone))
        assert session.scalars(waiting).all() == []
        told = session.execute(select(QaNotice.move_id, QaNotice.recipient)).all()
        assert len(told) == len(set(told))
        letters = select(Delivery).where(Delivery.event.in_(("qa.issue", "qa.fixed")))
        letters = letters.where(Delivery.status != "cancelled")  # taken back unsent
        to = [letter.body.split('"to":')[1].split("]")[0] for letter in session.scalars(letters)]
        assert len(to) == len(set(to))  # one letter each; the rest waits for ten minutes


def _one_turn(app: Flask, chance: random.Random, chat_id: uuid.UUID, user_id: uuid.UUID) -> None:
    with app.app_context(), transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        seen = chat.qa_status
        last = qa.last_move(session, chat_id)
        if last and chance.random() < 0.4:
            qa.undo(session, chat_id, user_id, last.id)
        else:
            note = f"Note {chance.random()}"
            decide(session, chat, user_id, chance.choice(qa.MOVES[seen]), expected=seen, note=note)
