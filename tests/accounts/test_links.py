from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.accounts import forgotten, links, users
from app.core import clock
from app.core.db import db, transaction
from app.core.errors import Conflict, Invalid, NotFound
from app.models import Delivery, User, UserLink

NEW = "a good new password"


@pytest.fixture
def ann(session: Session) -> User:
    return users.create(session, email="ann@example.com", role="agent").user


def token_of(address: str) -> str:
    return address.rpartition("/")[2]


@pytest.mark.parametrize(("purpose", "hours"), [("invite", 7 * 24), ("reset", 1)])
def test_a_link_works_once_and_for_a_while(
    session: Session, ann: User, purpose: links.Purpose, hours: int
) -> None:
    token = token_of(links.make(session, ann, purpose))
    with clock.moved(timedelta(hours=hours, seconds=1)), pytest.raises(Conflict, match="expired"):
        links.use(session, token, NEW)
    with pytest.raises(Invalid):
        links.use(session, token, "password")
    with clock.moved(timedelta(hours=hours, seconds=-5)):
        assert links.use(session, token, NEW, "Ann  Lee").name == "Ann Lee"
    assert users.verify(session, "ann@example.com", NEW) is ann
    assert ann.token_version == 1
    with pytest.raises(Conflict, match="has been used"):
        links.use(session, token, "another good one")


def test_a_newer_link_ends_the_older_and_so_does_deactivation(session: Session, ann: User) -> None:
    older, newer = (token_of(links.make(session, ann, "reset")) for _ in "12")
    with pytest.raises(Conflict, match="newer one"):
        links.read(session, older)
    links.read(session, newer)
    ann.is_active = False
    with pytest.raises(Conflict):
        links.use(session, newer, NEW)
    with pytest.raises(NotFound):
        links.read(session, "\x00made-up")


def test_a_stranger_who_says_the_password_is_forgotten_ends_no_invitation(
    session: Session, ann: User
) -> None:
    eve = users.new(session, email="eve@example.com", role="agent")
    invitation = token_of(links.make(session, eve, "invite", ann.id))
    assert links.send_forgotten(session, eve.id)
    assert links.use(session, invitation, NEW).id == eve.id


def test_a_password_set_another_way_ends_the_link(session: Session, ann: User) -> None:
    token = token_of(links.make(session, ann, "reset"))
    users.set_password(session, ann, NEW)
    with pytest.raises(Conflict, match="expired"):
        links.use(session, token, f"{NEW} of a stranger")
    assert users.verify(session, "ann@example.com", NEW)


def test_only_a_hash_of_a_link_is_kept(session: Session, ann: User) -> None:
    token = token_of(links.make(session, ann, "reset"))
    row = session.execute(text("SELECT row_to_json(user_links)::text FROM user_links")).scalar_one()
    assert token not in row


def test_of_two_clicks_at_once_one_is_told_that_it_was_used(database: Flask) -> None:
    with transaction() as session:
        user = users.create(session, email="ann@example.com", role="agent").user
        token = token_of(links.make(session, user, "reset"))

    def click(number: int) -> str:
        with database.app_context():
            try:
                with transaction() as session:
                    links.use(session, token, f"{NEW} {number}")
            except Conflict as error:
                return error.detail
            return "set"

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(click, range(4)))
    assert sorted(told) == [links.USED] * 3 + ["set"]
    db.session.remove()
    right = [users.verify(db.session(), "ann@example.com", f"{NEW} {n}") for n in range(4)]
    assert [bool(each) for each in right].index(True) == told.index("set")


def test_who_forgot_the_password_gets_three_letters_an_hour(database: Flask) -> None:
    with transaction() as session:
        user = users.create(session, email="ann@example.com", role="agent").user
    assert [forgotten.send(str(user.id)) for _ in range(4)] == [True, True, True, False]
    letters = db.session().scalars(select(Delivery)).all()
    assert {letter.event for letter in letters} == {"user.reset"}
    with clock.moved(timedelta(hours=1, seconds=5)):
        assert forgotten.send(str(user.id))
    assert len(db.session().scalars(select(UserLink)).all()) == 4
    with transaction() as session:
        session.get_one(User, user.id).is_active = False
    with clock.moved(timedelta(hours=3)):
        assert not forgotten.send(str(user.id))
    assert not forgotten.send("")
    assert not forgotten.send("6f0c8c5e-95a3-4a52-b5e9-7a0a3a1f3c55")
