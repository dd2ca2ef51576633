"""Who is asking, from a credential: access and refresh tokens (JWT, HS256) and their users."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from sqlalchemy.orm import Session

from app.accounts.permissions import SCOPES_OF_ROLE
from app.core import clock
from app.core.errors import Unauthenticated
from app.models import User

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=30)
ALGORITHM = "HS256"
NOT_VALID = "This access token is not valid. Please sign in again."
EXPIRED = "This access token has expired. Please refresh it or sign in again."


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller as the rest of the code knows it. `scopes`: what it may do.

    A program with an API key has a `key_id` and no `user_id`; with a `site_id` it may only see
    and change what belongs to that site.
    """

    user_id: uuid.UUID | None
    role: str
    email: str
    name: str
    timezone: str
    scopes: frozenset[str] = field(repr=False)
    key_id: uuid.UUID | None = None
    site_id: uuid.UUID | None = None
    theme: str = "system"

    def may(self, scope: str) -> bool:
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client keeps. `expires_in_seconds` is the access token's."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int = int(ACCESS_LIFETIME.total_seconds())


_keys: list[bytes] = []


def configure(secret_keys: Sequence[str]) -> None:
    """Give the secrets: the first signs, every one verifies. Called once, by wiring."""
    # Their own keys, derived: a token can never pass for another thing signed with the secret.
    _keys[:] = [hashlib.sha256(b"access tokens:" + key.encode()).digest() for key in secret_keys]


def identity_of(user: User) -> Identity:
    return Identity(
        user_id=user.id,
        role=user.role,
        email=user.email,
        name=user.name,
        timezone=user.timezone,
        scopes=SCOPES_OF_ROLE[user.role],
        theme=user.theme,
    )


def issue_tokens(user: User) -> Tokens:
    """A pair of tokens; both die when `user.token_version` grows."""
    return Tokens(
        access_token=_encode(user, "access", ACCESS_LIFETIME),
        refresh_token=_encode(user, "refresh", REFRESH_LIFETIME),
    )


def identity_from_access_token(session: Session, token: str) -> Identity:
    """Raises Unauthenticated when the token is wrong, expired, revoked or no access token."""
    return identity_of(_user_of(session, token, "access"))


def signed_user_id(token: str) -> str | None:
    """Whose token this is by its signature alone; the user may be gone, or the token revoked."""
    try:
        return str(_decode(token)["sub"])
    except Unauthenticated:
        return None


def refresh(session: Session, token: str) -> Tokens:
    """New tokens for a refresh token. Raises Unauthenticated as above."""
    return issue_tokens(_user_of(session, token, "refresh"))


def _encode(user: User, kind: str, lifetime: timedelta) -> str:
    issued_at = clock.now()
    claims = {
        "sub": str(user.id),
        "typ": kind,
        "ver": user.token_version,
        "iat": issued_at,
        "exp": issued_at + lifetime,
    }
    return jwt.encode(claims, _signing_key(), ALGORITHM)


def _signing_key() -> bytes:
    if not _keys:
        raise RuntimeError("credentials.configure() was not called")
    return _keys[0]


def _user_of(session: Session, token: str, kind: str) -> User:
    claims = _decode(token)
    if claims["typ"] != kind:
        raise Unauthenticated(NOT_VALID)
    try:
        user = session.get(User, uuid.UUID(claims["sub"]))
    except ValueError as error:
        raise Unauthenticated(NOT_VALID) from error
    if user is None or not user.is_active or user.token_version != claims["ver"]:
        raise Unauthenticated(NOT_VALID)
    return user


def _decode(token: str) -> dict[str, Any]:
    for key in _keys:
        try:
            # Times are compared with our own clock below.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                options={
                    "require": ["sub", "typ", "ver", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(NOT_VALID) from error
        if claims["exp"] <= _seconds(clock.now()):
            raise Unauthenticated(EXPIRED)
        return claims
    raise Unauthenticated(NOT_VALID)


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
