"""How often somebody may try to sign in: counted for each account and each address, in the
database, so that all processes count together.

A try is counted before it is known to be wrong, under a lock, so that many at once do not all get
in before the first is counted; a right one gives it back. An account is whatever e-mail was typed:
nothing here tells whether there is such a user.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import TooMany
from app.models.user_access import SignInFailure

#: So many tries are free. A whole office may share one address.
FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 20
#: The wait after the last free try, then twice as long after each further one, up to the longest.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
WAIT = "Too many tries. Please wait {minutes} and try again, or set a new password."


@dataclass(frozen=True, slots=True)
class Try:
    """One that was counted: what to give back when it was right. `locks_account`: the account is
    kept out from here on if it was wrong; `tries` went wrong in a row.
    """

    blocked: dict[str, datetime | None]
    locks_account: bool
    tries: int


def count(session: Session, email: str, address: str) -> Try:
    """Count a try in the caller's transaction, which must end before the password is looked at.

    Raises TooMany, the same for every password, while the account or the address has to wait.
    """
    account, source = _account_key(email), _address_key(address)
    now = clock.now()
    # Always in this order, so that two tries never wait for each other.
    rows = [(_row(session, account), FREE_OF_ACCOUNT), (_row(session, source), FREE_OF_ADDRESS)]
    waits = [row.blocked_until for row, _ in rows if row.blocked_until and row.blocked_until > now]
    if waits:
        _refuse(max(waits) - now)
    for row, free in rows:
        row.count = 1 if row.last_at < now - FORGOTTEN_AFTER else row.count + 1
        row.last_at = now
        row.blocked_until = now + _wait(row.count - free) if row.count >= free else None
    session.flush()
    own = rows[0][0]
    return Try(
        {row.key: row.blocked_until for row, _ in rows}, own.blocked_until is not None, own.count
    )


def give_back(session: Session, counted: Try) -> None:
    """It was right, so it was no failure."""
    for key, blocked_until in sorted(counted.blocked.items()):
        row = _row(session, key)
        row.count = max(0, row.count - 1)
        if row.blocked_until == blocked_until:
            row.blocked_until = None
    session.flush()


def forget_account(session: Session, email: str) -> None:
    """Its owner has been there: the count starts anew. Old rows of others go, too."""
    session.execute(
        update(SignInFailure)
        .where(SignInFailure.key == _account_key(email))
        .values(count=0, blocked_until=None)
    )
    old = (
        select(SignInFailure.key)
        .where(SignInFailure.last_at < clock.now() - FORGOTTEN_AFTER)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(SignInFailure)
        .where(SignInFailure.key.in_(old))
        .execution_options(synchronize_session=False)
    )


def _row(session: Session, key: str) -> SignInFailure:
    """The row of this key, made where there is none, locked."""
    statement = (
        insert(SignInFailure)
        .values(key=key, count=0, last_at=clock.now())
        .on_conflict_do_update(index_elements=["key"], set_={"key": key})
        .returning(SignInFailure)
    )
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


def _wait(past: int) -> timedelta:
    """After the last free try (`past` 0) and each further one."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(past, 10)))


def _refuse(wait: timedelta) -> None:
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    words = "a minute" if minutes == 1 else f"{minutes} minutes"
    raise TooMany(WAIT.format(minutes=words), max(1, math.ceil(wait.total_seconds())))


def _account_key(email: str) -> str:
    return f"account:{_hash(email.strip().lower())}"


def _address_key(address: str) -> str:
    """Whoever has one IPv6 address has 2⁶⁴ of them."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{_hash(address)}"
    if ip.version == 6:
        mapped = ip.ipv4_mapped
        network = mapped or ipaddress.ip_network((ip, 64), strict=False).network_address
        return f"address:{_hash(str(network))}"
    return f"address:{_hash(str(ip))}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
