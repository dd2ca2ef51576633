"""Sign-ins, a row each: start, find, end. Cookies and tokens only name a row, so that ending it on
the server ends every copy of them.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Literal, NamedTuple

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from app.core import clock, events
from app.models import SignIn, User

Kind = Literal["browser", "api"]
#: Without use for so long, a sign-in ends. A browser's use is noted at most once an hour.
LIFETIME: dict[Kind, timedelta] = {"browser": timedelta(days=14), "api": timedelta(days=30)}
NOTE_USE_EVERY = timedelta(hours=1)
#: Of one user and kind. A further one ends the one that was used longest ago.
MOST_OF_ONE_USER = 100
#: Expired rows that one clean-up removes at most.
MOST_REMOVED = 5_000


class Started(NamedTuple):
    """`secret` is shown to the client once; only its hash is kept."""

    sign_in: SignIn
    secret: str


class Found(NamedTuple):
    user: User
    sign_in: SignIn


def start(session: Session, user: User, kind: Kind) -> Started:
    """A new sign-in, in the caller's transaction. It names the token version that `user` has here:
    where all sign-ins were ended since the user was read, this one never counts.
    """
    now, secret = clock.now(), _new_secret()
    sign_in = SignIn(
        user_id=user.id,
        kind=kind,
        secret_hash=hash_secret(secret),
        token_version=user.token_version,
        created_at=now,
        last_seen_at=now,
        expires_at=now + LIFETIME[kind],
    )
    session.add(sign_in)
    session.flush()
    _end_the_oldest(session, user.id, kind)
    return Started(sign_in, secret)


def of_secret(session: Session, secret: str) -> Found | None:
    """The sign-in of a browser's cookie and its user, by one query."""
    return _found(session, _live().where(SignIn.secret_hash == hash_secret(secret)))


def of_id(session: Session, sign_in_id: uuid.UUID) -> Found | None:
    """The same by id."""
    return _found(session, _live().where(SignIn.id == sign_in_id))


def locked(session: Session, user_id: uuid.UUID, sign_in_id: uuid.UUID) -> Found | None:
    """The same, the sign-in for this transaction alone and read anew."""
    _hold_user(session, user_id)
    statement = _live().where(SignIn.id == sign_in_id).with_for_update(of=SignIn)
    return _found(session, statement.execution_options(populate_existing=True))


def is_use_due(sign_in: SignIn) -> bool:
    """Whether it is time to note that the sign-in is in use."""
    return sign_in.last_seen_at < clock.now() - NOTE_USE_EVERY


def note_use(session: Session, sign_in_id: uuid.UUID) -> None:
    """Make a browser's sign-in last longer, in the caller's transaction."""
    now = clock.now()
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.last_seen_at < now - NOTE_USE_EVERY)
        .values(last_seen_at=now, expires_at=now + LIFETIME["browser"])
        .execution_options(synchronize_session=False)
    )


def rotate(session: Session, sign_in: SignIn) -> str:
    """A new secret for this sign-in, which the caller has locked; the one before is used up."""
    now, secret = clock.now(), _new_secret()
    sign_in.secret_hash = hash_secret(secret)
    sign_in.last_seen_at, sign_in.expires_at = now, now + LIFETIME["api"]
    session.flush()
    return secret


def end(session: Session, user_id: uuid.UUID, sign_in_id: uuid.UUID) -> bool:
    """End this sign-in alone, and the event streams that its pages hold. False when it had ended
    already.
    """
    _hold_user(session, user_id)
    ended = session.execute(
        delete(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.user_id == user_id)
        .returning(SignIn.id)
        .execution_options(synchronize_session=False)
    ).first()
    if ended is not None:
        events.announce(session, "sign_ins", sign_in_id)
    return ended is not None


def end_all(session: Session, user_id: uuid.UUID) -> None:
    """Every sign-in of the user, whom the caller has locked."""
    session.execute(
        delete(SignIn).where(SignIn.user_id == user_id).execution_options(synchronize_session=False)
    )


def remove_expired(session: Session) -> int:
    """How many rows were removed."""
    expired = (
        select(SignIn.id)
        .where(SignIn.expires_at <= clock.now())
        .limit(MOST_REMOVED)
        .with_for_update(skip_locked=True)
    )
    removed = session.execute(
        delete(SignIn)
        .where(SignIn.id.in_(expired))
        .returning(SignIn.id)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


def hash_secret(secret: str) -> str:
    """A secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hold_user(session: Session, user_id: uuid.UUID) -> None:
    """Lock the user before one of their sign-ins, as whoever ends all of them does: an entry of
    the audit log, which locks the user too, may follow in the same transaction.
    """
    session.execute(
        select(User.id).where(User.id == user_id).with_for_update(read=True, key_share=True)
    )


def _live() -> Select[User, SignIn]:
    return (
        select(User, SignIn)
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            SignIn.expires_at > clock.now(),
            SignIn.token_version == User.token_version,
            User.is_active,
        )
    )


def _found(session: Session, statement: Select[User, SignIn]) -> Found | None:
    row = session.execute(statement).first()
    return None if row is None else Found(row[0], row[1])


def _end_the_oldest(session: Session, user_id: uuid.UUID, kind: Kind) -> None:
    surplus = (
        select(SignIn.id)
        .where(SignIn.user_id == user_id, SignIn.kind == kind)
        .order_by(SignIn.last_seen_at.desc(), SignIn.id)
        .offset(MOST_OF_ONE_USER)
        .with_for_update(skip_locked=True)
    )
    for sign_in_id in session.scalars(surplus).all():
        end(session, user_id, sign_in_id)
