"""Limit guesses at passwords and codes, counted in the database so that all processes count
together. A guess counts under three keys:

- the pair of account and address: a stranger cannot keep an account's owner out elsewhere;
- the address, over all accounts;
- the account, over all addresses, with a higher limit: against an attack from many addresses.

A trusted client (a browser that has signed in before, a page that is signed in) counts under a key
of its own instead, so that nobody else can use up its tries.

A guess is counted before it is known to be wrong, under locks, so that many at once do not all get
in before the first is counted; a right one gives it back. An account is whatever email was typed:
nothing here tells whether there is such a user.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.addresses import rate_key
from app.core.errors import TooMany
from app.models.user_access import SignInFailure

#: So many tries are free. An office may share one address; an attacker may have many.
FREE_OF_PAIR = 5
FREE_OF_ADDRESS = 20
FREE_OF_ACCOUNT = 50
FREE_OF_TRUSTED = 5
#: The wait after the last free try, then twice as long after each further one, up to the longest.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
#: Forgotten rows that each try removes: more than it adds, and too few to be felt.
MOST_REMOVED_BY_TRY = 10
#: Of more rows than these, the clean-up removes the oldest: an attacker can invent emails without
#: end. One run removes at most so many.
MOST_ROWS = 200_000
MOST_REMOVED = 20_000
#: The order in which rows are locked: that of `_keys`, whatever the database's collation.
_IN_ORDER = SignInFailure.key.collate("C")
WAIT = (
    "Too many tries. Please wait {minutes} and try again, sign in from a browser you have used"
    " before, or set a new password."
)
WAIT_TRUSTED = "Too many tries. Please wait {minutes} and try again, or set a new password."


@dataclass(frozen=True, slots=True)
class Try:
    """A counted try: what to give back when it was right.

    `locks`: it was the last free one for its account or client, if it was wrong; `tries` went
    wrong in a row.
    """

    blocked: dict[str, datetime | None]
    locks: bool
    tries: int


@dataclass(frozen=True, slots=True)
class _Key:
    key: str
    free: int
    account_hash: str | None = None


def count(session: Session, email: str, address: str, *, trusted: str | None = None) -> Try:
    """Count a try in the caller's transaction, which must end before the secret is looked at.

    `trusted`: an id that only the owner's client can send; the try counts for it alone. Raises
    TooMany, the same for every password, while one of the keys has to wait.
    """
    keys = _keys(email, address, trusted)
    now = clock.now()
    _refuse_if_blocked(session, keys, now, is_trusted=trusted is not None)
    rows = _locked(session, keys)
    waits = [row.blocked_until for row in rows if row.blocked_until and row.blocked_until > now]
    if waits:
        _refuse(max(waits) - now, is_trusted=trusted is not None)
    for row, key in zip(rows, keys, strict=True):
        row.count = 1 if row.last_at < now - FORGOTTEN_AFTER else row.count + 1
        row.last_at = now
        row.blocked_until = now + _wait(row.count - key.free) if row.count >= key.free else None
    session.flush()
    _remove(session, now - FORGOTTEN_AFTER, MOST_REMOVED_BY_TRY)
    locked = [row.count for row in rows if row.account_hash and row.blocked_until]
    return Try(
        blocked={row.key: row.blocked_until for row in rows},
        locks=bool(locked),
        tries=max(locked, default=0),
    )


def give_back(session: Session, counted: Try) -> None:
    """It was right, so it was no failure."""
    for row in _locked_again(session, counted.blocked):
        row.count = max(0, row.count - 1)
        if row.blocked_until == counted.blocked[row.key]:
            row.blocked_until = None
    session.flush()


def forget(session: Session, email: str, address: str, *, trusted: str | None = None) -> None:
    """The owner is all the way in: what counts their tries begins anew, but for the address."""
    own = [each.key for each in _keys(email, address, trusted) if each.account_hash is not None]
    for row in _locked_again(session, own):
        row.count, row.blocked_until = 0, None
    session.flush()


def touch(session: Session, counted: Try) -> None:
    """Write to what was counted, and change nothing."""
    session.execute(
        update(SignInFailure)
        .where(SignInFailure.key == min(counted.blocked))
        .values(key=SignInFailure.key)
        .execution_options(synchronize_session=False)
    )


def forget_account(session: Session, email: str) -> None:
    """The account has a new password: everything counted for it begins anew."""
    of_account = select(SignInFailure.key).where(SignInFailure.account_hash == _hash_email(email))
    keys = session.scalars(of_account.order_by(_IN_ORDER).with_for_update()).all()
    session.execute(
        delete(SignInFailure)
        .where(SignInFailure.key.in_(keys))
        .execution_options(synchronize_session=False)
    )


def remove_old(session: Session) -> int:
    """Remove forgotten rows, and the oldest beyond the most that are kept. Gives how many."""
    removed = _remove(session, clock.now() - FORGOTTEN_AFTER, MOST_REMOVED)
    surplus = (session.scalar(select(func.count()).select_from(SignInFailure)) or 0) - MOST_ROWS
    if surplus > 0:
        removed += _remove(session, None, min(surplus, MOST_REMOVED))
    return removed


def _keys(email: str, address: str, trusted: str | None) -> list[_Key]:
    """Sorted, so that two tries never wait for each other."""
    if trusted is not None:
        return [_Key(f"trusted:{_hash(trusted)}", FREE_OF_TRUSTED, _hash_email(email))]
    account, source = _hash_email(email), _hash(rate_key(address))
    return [
        _Key(f"account:{account}", FREE_OF_ACCOUNT, account),
        _Key(f"address:{source}", FREE_OF_ADDRESS),
        _Key(f"pair:{account}:{source}", FREE_OF_PAIR, account),
    ]


def _refuse_if_blocked(
    session: Session, keys: list[_Key], now: datetime, *, is_trusted: bool
) -> None:
    """A look without locks: a refused try writes nothing and waits for nobody."""
    blocked_until = session.scalar(
        select(func.max(SignInFailure.blocked_until)).where(
            SignInFailure.key.in_([each.key for each in keys]), SignInFailure.blocked_until > now
        )
    )
    if blocked_until is not None:
        _refuse(blocked_until - now, is_trusted=is_trusted)


def _locked(session: Session, keys: list[_Key]) -> list[SignInFailure]:
    """The rows of these keys, in their order, created where missing, locked one after the other."""
    now = clock.now()
    given = [
        {"key": each.key, "account_hash": each.account_hash, "count": 0, "last_at": now}
        for each in keys
    ]
    adding = insert(SignInFailure).values(given)
    statement = adding.on_conflict_do_update(
        index_elements=["key"], set_={"key": adding.excluded.key}
    ).returning(SignInFailure)
    rows = session.scalars(statement, execution_options={"populate_existing": True}).all()
    return sorted(rows, key=lambda row: row.key)


def _locked_again(session: Session, keys: Iterable[str]) -> list[SignInFailure]:
    """The rows of these keys that are still there, locked in the order of `_keys`."""
    statement = (
        select(SignInFailure)
        .where(SignInFailure.key.in_(list(keys)))
        .order_by(_IN_ORDER)
        .with_for_update()
    )
    return list(session.scalars(statement, execution_options={"populate_existing": True}))


def _remove(session: Session, before: datetime | None, most: int) -> int:
    """Remove the oldest rows that nobody is using, so that it never waits."""
    old = select(SignInFailure.key).order_by(SignInFailure.last_at).limit(most)
    if before is not None:
        old = old.where(SignInFailure.last_at < before)
    removed = session.execute(
        delete(SignInFailure)
        .where(SignInFailure.key.in_(old.with_for_update(skip_locked=True)))
        .returning(SignInFailure.key)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


def _wait(past: int) -> timedelta:
    """After the last free try (`past` 0) and each further one."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(past, 10)))


def _refuse(wait: timedelta, *, is_trusted: bool) -> None:
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    text = "a minute" if minutes == 1 else f"{minutes} minutes"
    template = WAIT_TRUSTED if is_trusted else WAIT
    raise TooMany(template.format(minutes=text), max(1, math.ceil(wait.total_seconds())))


def _hash_email(email: str) -> str:
    return _hash(email.strip().lower())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
