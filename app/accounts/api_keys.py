"""API keys: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.credentials import Identity
from app.accounts.permissions import ADMIN_SCOPES
from app.core import clock
from app.core.errors import Invalid, NotFound, Unauthenticated
from app.models import ApiKey, Site

PREFIX = "p5_"
LONGEST_NAME = 100
#: When a key was last used is noted at most this often.
NOTE_USE_EVERY = timedelta(minutes=1)
NOT_VALID = "This API key is not valid. Ask an admin for a new one."


class NewKey(NamedTuple):
    """A key and its plain text: to be shown once and forgotten."""

    key: ApiKey
    plain: str


def create(
    session: Session, *, name: str, scopes: Collection[str], site_key: str | None = None
) -> NewKey:
    """A new key, in the caller's transaction. Raises Invalid (name, scopes or site)."""
    unknown = sorted(set(scopes) - ADMIN_SCOPES)
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = ["Please say what the key is for."]
    elif len(name.strip()) > LONGEST_NAME:
        errors["name"] = [f"Please use at most {LONGEST_NAME} characters."]
    elif not name.strip().isprintable():
        errors["name"] = ["Please use only letters, digits and signs, in one line."]
    if unknown or not scopes:
        problem = f"There is no scope {unknown[0]!r}." if unknown else "Please give a scope."
        errors["scopes"] = [f"{problem} These exist: {', '.join(sorted(ADMIN_SCOPES))}."]
    site_id = None
    if site_key is not None:
        if site_key.isprintable():  # PostgreSQL reads no NUL
            site_id = session.scalar(select(Site.id).where(Site.key == site_key))
        if site_id is None:
            errors["site"] = [f"There is no site with the key {site_key!r}."]
    if errors:
        raise Invalid(errors)
    plain = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        name=name.strip(),
        hash=_hash(plain),
        scopes=sorted(set(scopes)),
        site_id=site_id,
        created_at=clock.now(),
    )
    session.add(key)
    session.flush()
    return NewKey(key, plain)


class KnownKey(NamedTuple):
    """A key as it is listed; `site_name` None: it is good for every site."""

    key: ApiKey
    site_name: str | None


def list_all(session: Session) -> list[KnownKey]:
    """Every key, by one query: those in use first, then the newest. There are as many as programs
    that sign in.
    """
    rows = session.execute(
        select(ApiKey, Site.name)
        .outerjoin(Site, Site.id == ApiKey.site_id)
        .order_by(ApiKey.revoked_at.desc().nulls_first(), ApiKey.created_at.desc(), ApiKey.id)
    )
    return [KnownKey(key, site_name) for key, site_name in rows]


def one(session: Session, key_id: uuid.UUID) -> ApiKey:
    """Raises NotFound."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no key with this id.")
    return key


def revoke(session: Session, key_id: uuid.UUID) -> ApiKey | None:
    """Nobody signs in with it any more. None when that was so already. Raises NotFound."""
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise NotFound("There is no key with this id.")
    if key.revoked_at is not None:
        return None
    key.revoked_at = clock.now()
    session.flush()
    return key


def identity_from_api_key(session: Session, plain: str) -> Identity:
    """Who sends this key. Raises Unauthenticated when it is wrong or withdrawn."""
    key = session.scalar(
        select(ApiKey).where(ApiKey.hash == _hash(plain), ApiKey.revoked_at.is_(None))
    )
    if key is None:
        raise Unauthenticated(NOT_VALID)
    return Identity(
        user_id=None,
        role="key",
        email="",
        name=key.name,
        timezone="UTC",
        scopes=frozenset(key.scopes),
        key_id=key.id,
        site_id=key.site_id,
    )


def note_use(session: Session, key_id: uuid.UUID) -> None:
    """Note, in the caller's transaction, that the key was used just now."""
    now = clock.now()
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id,
            ApiKey.last_used_at.is_(None) | (ApiKey.last_used_at < now - NOTE_USE_EVERY),
        )
        .values(last_used_at=now)
    )


def _hash(plain: str) -> str:
    """A key has 256 bits of chance in it: a plain hash is enough."""
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
