from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts import two_factor, users
from app.core import clock
from app.core.crypto import seal
from app.core.db import transaction
from app.core.errors import Conflict, Invalid
from app.models import User
from tests.accounts.authenticator import code_of

#: Appendix B of RFC 6238, the last six digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC = [(59, "287082"), (1111111109, "081804"), (2000000000, "279037"), (20000000000, "353130")]


@pytest.fixture
def ann(session: Session) -> User:
    return users.create(session, email="ann@example.com", role="agent").user


def turned_on(session: Session, user: User) -> list[str]:
    two_factor.set_up(user)
    return two_factor.enable(session, user, code_of(user))


@pytest.mark.parametrize(("at", "code"), RFC)
def test_codes_are_those_of_the_standard(session: Session, ann: User, at: int, code: str) -> None:
    ann.totp_secret, ann.totp_enabled_at = seal(RFC_SECRET), clock.now()
    with clock.moved(timedelta(seconds=at - clock.now().timestamp() + 0.1)):
        assert two_factor.take(session, ann, f"{code[:3]} {code[3:]}") == "app"


def test_it_is_on_once_the_app_has_shown_a_right_code(session: Session, ann: User) -> None:
    two_factor.set_up(ann)
    assert two_factor.take(session, ann, code_of(ann)) is None
    with pytest.raises(Invalid):
        two_factor.enable(session, ann, "000000" if code_of(ann) != "000000" else "000001")
    codes = two_factor.enable(session, ann, code_of(ann))
    assert len(set(codes)) == 10
    assert ann.token_version == 1
    with pytest.raises(Conflict):
        two_factor.set_up(ann)


def test_a_code_works_once_and_only_near_its_time(session: Session, ann: User) -> None:
    turned_on(session, ann)
    assert two_factor.take(session, ann, code_of(ann)) is None  # it turned it on
    later, much_later = code_of(ann, steps=1), code_of(ann, steps=2)
    assert two_factor.take(session, ann, much_later) is None
    assert two_factor.take(session, ann, later) == "app"
    assert two_factor.take(session, ann, later) is None
    with clock.moved(timedelta(seconds=90)):
        assert two_factor.take(session, ann, code_of(ann, steps=-2)) is None
        assert two_factor.take(session, ann, code_of(ann, steps=-1)) == "app"
    for odd in ("", "١٢٣٤٥٦", "\x00", "12345", "1234567"):
        assert two_factor.take(session, ann, odd) is None


def test_a_recovery_code_works_once_however_it_is_typed(session: Session, ann: User) -> None:
    codes = turned_on(session, ann)
    assert two_factor.take(session, ann, f" {codes[0].upper().replace('-', ' ')}") == (
        "recovery_code"
    )
    assert two_factor.take(session, ann, codes[0]) is None
    assert two_factor.recovery_codes_left(session, ann.id) == 9
    fresh = two_factor.new_recovery_codes(session, ann)
    assert two_factor.take(session, ann, codes[1]) is None
    assert two_factor.take(session, ann, fresh[0]) == "recovery_code"
    bob = users.create(session, email="bob@example.com", role="agent").user
    turned_on(session, bob)
    assert two_factor.take(session, bob, fresh[1]) is None


def test_neither_secret_nor_codes_can_be_read_in_the_database(session: Session, ann: User) -> None:
    two_factor.set_up(ann)
    secret = two_factor.waiting_secret(ann)
    assert secret
    codes = two_factor.enable(session, ann, code_of(ann))
    stored = "SELECT (SELECT json_agg(u)::text FROM users u) || (SELECT json_agg(c)::text FROM recovery_codes c)"  # noqa: E501
    kept = session.execute(text(stored)).scalar_one()
    assert not [each for each in (secret, *codes) if each in kept or each.replace("-", "") in kept]


def test_off_nothing_is_left_of_it(session: Session, ann: User) -> None:
    codes = turned_on(session, ann)
    two_factor.disable(session, ann)
    assert (ann.totp_secret, ann.totp_enabled_at, ann.totp_last_step) == (None, None, None)
    assert two_factor.take(session, ann, codes[0]) is None
    assert two_factor.recovery_codes_left(session, ann.id) == 0


@pytest.mark.parametrize("kind", ["app", "recovery_code"])
def test_of_many_at_once_with_one_code_one_gets_in(database: Flask, kind: str) -> None:
    with transaction() as session:
        user = users.create(session, email="ann@example.com", role="agent").user
        codes = turned_on(session, user)
        code = codes[0] if kind == "recovery_code" else code_of(user, steps=1)

    def attempt(_: int) -> str | None:
        with database.app_context(), transaction() as session:
            return two_factor.take(session, users.locked(session, user.id), code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4)), key=str) == [None] * 3 + [kind]
