from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import jwt
import pytest
from sqlalchemy.orm import Session

from app.accounts import credentials, sign_ins, users
from app.accounts.credentials import Reused, Tokens
from app.core import clock
from app.core.errors import Unauthenticated
from app.models import User

OLD, NEW = "an-older-secret-of-the-house", "a-newer-secret-of-the-house"


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    before = list(credentials._keys)
    credentials.configure([NEW, OLD])
    yield
    credentials._keys[:] = before


@pytest.fixture
def user(session: Session) -> User:
    return users.create(
        session, email="ann@example.com", role="agent", password="correct horse"
    ).user


def test_an_access_token_says_who_and_what_they_may(session: Session, user: User) -> None:
    tokens = credentials.issue_tokens(session, user)
    identity = credentials.identity_from_access_token(session, tokens.access_token)
    assert (identity.user_id, identity.role, identity.email) == (user.id, "agent", user.email)
    assert identity.may("sessions:read")
    assert not identity.may("users:write")
    assert "ey" not in repr(tokens)


def test_an_access_token_lasts_15_minutes_and_a_refresh_token_30_days(
    session: Session, user: User
) -> None:
    tokens = credentials.issue_tokens(session, user)
    with clock.moved(timedelta(minutes=14, seconds=55)):
        credentials.identity_from_access_token(session, tokens.access_token)
    with clock.moved(timedelta(minutes=15, seconds=1)):
        with pytest.raises(Unauthenticated, match="expired"):
            credentials.identity_from_access_token(session, tokens.access_token)
        fresh = refreshed(session, tokens.refresh_token)
        credentials.identity_from_access_token(session, fresh.access_token)
    with clock.moved(timedelta(days=30, minutes=15)):
        fresh = refreshed(session, fresh.refresh_token)  # as long as it is in use
    with clock.moved(timedelta(days=60, minutes=16)), pytest.raises(Unauthenticated):
        credentials.refresh(session, fresh.refresh_token)


def test_one_kind_of_token_does_not_pass_for_the_other(session: Session, user: User) -> None:
    tokens = credentials.issue_tokens(session, user)
    with pytest.raises(Unauthenticated):
        credentials.identity_from_access_token(session, tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        credentials.refresh(session, tokens.access_token)


def test_an_older_secret_still_verifies_and_a_foreign_one_never(
    session: Session, user: User
) -> None:
    credentials.configure([OLD])
    old = credentials.issue_tokens(session, user).access_token
    credentials.configure(["somebody-elses-secret"])
    foreign = credentials.issue_tokens(session, user).access_token
    credentials.configure([NEW, OLD])
    assert credentials.identity_from_access_token(session, old).user_id == user.id
    with pytest.raises(Unauthenticated):
        credentials.identity_from_access_token(session, foreign)


@pytest.mark.parametrize("change", ["revoked", "inactive", "deleted"])
def test_a_token_dies_with_its_users_sign_ins(session: Session, user: User, change: str) -> None:
    tokens = credentials.issue_tokens(session, user)
    if change == "revoked":
        users.end_sign_ins(session, user)
    elif change == "inactive":
        user.is_active = False
    else:
        session.delete(user)
    session.flush()
    with pytest.raises(Unauthenticated):
        credentials.identity_from_access_token(session, tokens.access_token)
    with pytest.raises(Unauthenticated):
        credentials.refresh(session, tokens.refresh_token)


@pytest.mark.parametrize("claims", [{}, {"sub": "x"}, {"sub": "no id", "typ": "access", "ver": 0}])
def test_a_well_signed_token_without_our_claims_is_refused(
    session: Session, claims: dict[str, object]
) -> None:
    claims = {**claims, "exp": clock.now() + timedelta(minutes=5)}
    token = jwt.encode(claims, credentials._signing_key(), "HS256")
    with pytest.raises(Unauthenticated):
        credentials.identity_from_access_token(session, token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "\x00"])
def test_nonsense_is_refused(session: Session, token: str) -> None:
    with pytest.raises(Unauthenticated):
        credentials.identity_from_access_token(session, token)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_an_unsigned_token_is_refused(session: Session, user: User, kind: str) -> None:
    claims = {
        "sub": str(user.id),
        "typ": kind,
        "fam": str(sign_ins.start(session, user, "api").sign_in.id),
        "exp": clock.now() + timedelta(hours=1),
    }
    token = jwt.encode(claims, None, "none")
    assert use(session, kind, token) is None
    assert use(session, kind, jwt.encode(claims, credentials._signing_key(), "HS256"))


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_token_changed_anywhere_is_refused(session: Session, user: User, kind: str) -> None:
    tokens = credentials.issue_tokens(session, user)
    token = tokens.access_token if kind == "access" else tokens.refresh_token
    for position in range(0, len(token), 3):
        other = "A" if token[position] != "A" else "Q"
        assert use(session, kind, token[:position] + other + token[position + 1 :]) is None
    assert use(session, kind, token)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_token_of_before_says_what_to_do(session: Session, user: User, kind: str) -> None:
    claims = {"sub": str(user.id), "typ": kind, "ver": user.token_version}
    claims |= {"iat": clock.now(), "exp": clock.now() + timedelta(minutes=5)}
    token = jwt.encode(claims, credentials._signing_key(), "HS256")
    with pytest.raises(Unauthenticated, match=r"earlier version\. Please sign in"):
        credentials.identity_from_access_token(session, token) if kind == "access" else (
            credentials.refresh(session, token)
        )


def test_a_refresh_token_works_once_and_then_ends_its_family(session: Session, user: User) -> None:
    first, other = (credentials.issue_tokens(session, user) for _ in range(2))
    second = refreshed(session, first.refresh_token)
    third = refreshed(session, second.refresh_token)
    assert use(session, "access", first.access_token)
    assert credentials.refresh(session, first.refresh_token) == Reused(user.id)
    for dead in (first, second, third):
        assert use(session, "access", dead.access_token) is None
        assert use(session, "refresh", dead.refresh_token) is None
    assert use(session, "access", other.access_token)
    assert use(session, "refresh", other.refresh_token)


def test_a_family_of_another_user_is_nobodys(session: Session, user: User) -> None:
    bob = users.create(session, email="bob@example.com", role="admin", password="correct horse")
    family = sign_ins.start(session, bob.user, "api").sign_in
    for kind in ("access", "refresh"):
        claims = {"sub": str(user.id), "typ": kind, "fam": str(family.id), "jti": "x"}
        claims |= {"exp": clock.now() + timedelta(minutes=5)}
        token = jwt.encode(claims, credentials._signing_key(), "HS256")
        assert use(session, kind, token) is None
    assert sign_ins.of_id(session, family.id)


def refreshed(session: Session, token: str) -> Tokens:
    tokens = credentials.refresh(session, token)
    assert isinstance(tokens, Tokens)
    return tokens


def use(session: Session, kind: str, token: str) -> object:
    """What the token gives; None when it is refused."""
    try:
        if kind == "access":
            return credentials.identity_from_access_token(session, token)
        return credentials.refresh(session, token)
    except Unauthenticated:
        return None
