"""Who is asking, from a credential: access and refresh tokens (JWT, HS256) and their users.

Both tokens of a pair name a sign-in (`fam`). Its row holds the hash of the one refresh token that
may still be used: any other that we signed for it has been used before, so somebody has a copy, and
the whole family ends.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import jwt
from sqlalchemy.orm import Session

from app.accounts import sign_ins
from app.accounts.permissions import SCOPES_OF_ROLE
from app.core import clock
from app.core.errors import Unauthenticated
from app.models import SignIn, User

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = sign_ins.LIFETIME["api"]
ALGORITHM = "HS256"
NOT_VALID = "This access token is not valid. Please sign in again."
EXPIRED = "This access token has expired. Please refresh it or sign in again."
REFRESH_NOT_VALID = "This refresh token is not valid or has expired. Please sign in again."
OLD_FORM = "This token was issued by an earlier version. Please sign in again."
REUSED = (
    "This refresh token was used before, so every token of this sign-in has been ended."
    " Please sign in again."
)


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
    sign_in_id: uuid.UUID | None = None
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


def identity_of(user: User, sign_in_id: uuid.UUID | None = None) -> Identity:
    return Identity(
        user_id=user.id,
        role=user.role,
        email=user.email,
        name=user.name,
        timezone=user.timezone,
        scopes=SCOPES_OF_ROLE[user.role],
        sign_in_id=sign_in_id,
        theme=user.theme,
    )


def issue_tokens(session: Session, user: User) -> Tokens:
    """The first pair of a new sign-in, in the caller's transaction; both tokens die with it."""
    sign_in, secret = sign_ins.start(session, user, "api")
    return _pair(sign_in, secret)


def identity_from_access_token(session: Session, token: str) -> Identity:
    """Raises Unauthenticated when the token is wrong, expired, revoked or no access token."""
    claims = _decode(token, "access", NOT_VALID, EXPIRED)
    found = sign_ins.of_id(session, claims.family)
    if found is None or found.user.id != claims.user_id:
        raise Unauthenticated(NOT_VALID)
    return identity_of(found.user, found.sign_in.id)


def signed_user_id(token: str) -> str | None:
    """Whose token this is by its signature alone; the user may be gone, or the token revoked."""
    try:
        return str(_decode(token, "access", NOT_VALID, EXPIRED).user_id)
    except Unauthenticated:
        return None


@dataclass(frozen=True, slots=True)
class Reused:
    """A used refresh token was sent again: its family has ended. To be noted and refused."""

    user_id: uuid.UUID


def refresh(session: Session, token: str) -> Tokens | Reused:
    """A new pair for a refresh token, in the caller's transaction; the token is used up then. Of
    two requests with the same token at once, one gets the pair and the other one ends the family.

    Raises Unauthenticated when the token is wrong, expired, revoked or no refresh token.
    """
    claims = _decode(token, "refresh", REFRESH_NOT_VALID, REFRESH_NOT_VALID)
    found = sign_ins.locked(session, claims.user_id, claims.family)
    if found is None or found.user.id != claims.user_id:
        raise Unauthenticated(REFRESH_NOT_VALID)
    if not hmac.compare_digest(found.sign_in.secret_hash, sign_ins.hash_secret(claims.secret)):
        sign_ins.end(session, claims.user_id, claims.family)
        return Reused(claims.user_id)
    return _pair(found.sign_in, sign_ins.rotate(session, found.sign_in))


def _pair(sign_in: SignIn, secret: str) -> Tokens:
    return Tokens(
        access_token=_encode(sign_in, "access", ACCESS_LIFETIME),
        refresh_token=_encode(sign_in, "refresh", REFRESH_LIFETIME, jti=secret),
    )


def _encode(sign_in: SignIn, kind: str, lifetime: timedelta, **more: str) -> str:
    issued_at = clock.now()
    claims = {
        "sub": str(sign_in.user_id),
        "typ": kind,
        "fam": str(sign_in.id),
        "iat": issued_at,
        "exp": issued_at + lifetime,
        **more,
    }
    return jwt.encode(claims, _signing_key(), ALGORITHM)


def _signing_key() -> bytes:
    if not _keys:
        raise RuntimeError("credentials.configure() was not called")
    return _keys[0]


class _Claims(NamedTuple):
    """What a token says. `secret`: a refresh token's own id."""

    user_id: uuid.UUID
    family: uuid.UUID
    secret: str


def _decode(token: str, kind: str, not_valid: str, expired: str) -> _Claims:
    """What a token of this kind says, once its signature and its time have been checked."""
    claims = _verified(token, not_valid)
    if claims["typ"] != kind:
        raise Unauthenticated(not_valid)
    if "ver" in claims and "fam" not in claims:
        raise Unauthenticated(OLD_FORM)
    if claims["exp"] <= clock.now().timestamp():
        raise Unauthenticated(expired)
    try:
        return _Claims(uuid.UUID(claims["sub"]), uuid.UUID(claims["fam"]), claims.get("jti", ""))
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise Unauthenticated(not_valid) from error


def _verified(token: str, not_valid: str) -> dict[str, Any]:
    for key in _keys:
        try:
            # `_decode` compares times with our own clock.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                options={
                    "require": ["sub", "typ", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(not_valid) from error
        return claims
    raise Unauthenticated(not_valid)
