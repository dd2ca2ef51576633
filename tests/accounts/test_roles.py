from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import links, roles, users
from app.core.db import db, transaction
from app.core.errors import Conflict, Invalid
from app.models import User

Move = Callable[[Session, uuid.UUID, uuid.UUID | None], User]


def demote(session: Session, user_id: uuid.UUID, by: uuid.UUID | None) -> User:
    return roles.change_role(session, user_id, "agent", by)


def make(session: Session, name: str, role: str = "admin") -> User:
    return users.create(session, email=f"{name}@example.com", role=role).user


@pytest.mark.parametrize("move", [demote, roles.deactivate])
def test_there_is_always_an_admin_who_can_sign_in(session: Session, move: Move) -> None:
    ann, bob = make(session, "ann"), make(session, "bob", "agent")
    users.new(session, email="invited@example.com", role="admin")  # has no password yet
    make(session, "off").is_active = False
    with pytest.raises(Conflict, match="last admin"):
        move(session, ann.id, bob.id)
    carl = make(session, "carl")
    move(session, ann.id, carl.id)
    assert (ann.role, ann.is_active) in (("agent", True), ("admin", False))
    with pytest.raises(Conflict, match="last admin"):
        move(session, carl.id, bob.id)


@pytest.mark.parametrize(
    "moves",
    [(demote, demote), (roles.deactivate, roles.deactivate), (demote, roles.deactivate)],
)
def test_two_admins_cannot_remove_each_other_at_once(
    database: Flask, moves: tuple[Move, Move]
) -> None:
    with transaction() as session:
        ids = [make(session, "ann").id, make(session, "bob").id]

    def remove(at: int) -> str:
        with database.app_context():
            try:
                with transaction() as session:
                    moves[at](session, ids[at], ids[1 - at])
            except Conflict as error:
                return error.detail
            return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, (0, 1))) == sorted(["done", roles.LAST_ADMIN])
    db.session.remove()
    found = [db.session().get_one(User, each) for each in ids]
    assert [user.role == "admin" and user.is_active for user in found].count(True) == 1


def test_nobody_does_it_to_themselves(session: Session) -> None:
    ann = make(session, "ann")
    make(session, "bob")
    for move in (demote, roles.deactivate):
        with pytest.raises(Conflict, match="yourself"):
            move(session, ann.id, ann.id)
    with pytest.raises(Invalid):
        roles.change_role(session, ann.id, "owner", None)


def test_who_is_deactivated_is_out_and_no_link_lets_them_in(session: Session) -> None:
    make(session, "ann")
    bob = make(session, "bob", "agent")
    token = links.make(session, bob, "reset").rpartition("/")[2]
    roles.deactivate(session, bob.id, None)
    assert (bob.is_active, bob.token_version) == (False, 1)
    roles.activate(session, bob.id)
    with pytest.raises(Conflict, match="expired"):
        links.read(session, token)
