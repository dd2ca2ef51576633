from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.accounts import sign_ins, users
from app.core import clock
from app.models import SignIn, User


@pytest.fixture
def user(session: Session) -> User:
    return users.create(
        session, email="ann@example.com", role="agent", password="correct horse"
    ).user


def test_a_sign_in_is_found_by_its_secret_which_is_not_stored(session: Session, user: User) -> None:
    started = sign_ins.start(session, user, "browser")
    assert sign_ins.of_secret(session, started.secret) == (user, started.sign_in)
    assert sign_ins.of_secret(session, started.secret + "x") is None
    assert sign_ins.of_secret(session, "") is None
    assert sign_ins.of_secret(session, "\x00\ud800") is None
    assert started.secret not in str(vars(started.sign_in))


def test_a_browser_in_use_stays_signed_in_and_an_idle_one_does_not(
    session: Session, user: User
) -> None:
    used, idle = (sign_ins.start(session, user, "browser") for _ in range(2))
    assert not sign_ins.is_use_due(used.sign_in)
    with clock.moved(timedelta(days=13)):
        assert sign_ins.is_use_due(used.sign_in)
        sign_ins.note_use(session, used.sign_in.id)
        session.expire_all()
        assert not sign_ins.is_use_due(used.sign_in)
    with clock.moved(timedelta(days=15)):
        assert sign_ins.of_secret(session, used.secret)
        assert sign_ins.of_secret(session, idle.secret) is None
        assert sign_ins.remove_expired(session) == 1
        assert session.query(SignIn).count() == 1


def test_one_ends_alone_and_all_end_together(session: Session, user: User) -> None:
    first, second, third = (sign_ins.start(session, user, "browser") for _ in range(3))
    assert sign_ins.end(session, user.id, first.sign_in.id)
    assert not sign_ins.end(session, user.id, first.sign_in.id)
    assert sign_ins.of_secret(session, first.secret) is None
    assert sign_ins.of_secret(session, second.secret)
    users.end_sign_ins(session, user)
    assert sign_ins.of_secret(session, third.secret) is None
    assert session.query(SignIn).count() == 0


def test_a_sign_in_begun_while_all_were_ended_never_counts(session: Session, user: User) -> None:
    read_before = User(id=user.id, token_version=user.token_version)
    users.end_sign_ins(session, user)
    started = sign_ins.start(session, read_before, "browser")
    assert sign_ins.of_secret(session, started.secret) is None


def test_one_user_has_so_many_of_a_kind(
    session: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_ins, "MOST_OF_ONE_USER", 3)
    started = []
    for number in range(5):
        with clock.moved(timedelta(seconds=number)):
            started.append(sign_ins.start(session, user, "api"))
    sign_ins.start(session, user, "browser")
    alive = [sign_ins.of_id(session, each.sign_in.id) is not None for each in started]
    assert alive == [False, False, True, True, True]
    assert session.query(SignIn).count() == 4
