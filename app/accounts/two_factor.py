"""The second step of signing in: a code of an authenticator app (TOTP, RFC 6238), or one of ten
recovery codes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.accounts import passwords, users
from app.core import clock
from app.core.crypto import seal, unseal
from app.core.errors import Conflict, Invalid
from app.models import RecoveryCode, User

ISSUER = "Platform 5ive"
#: What every authenticator app takes for granted.
DIGITS = 6
_APP_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")
STEP_SECONDS = 30
SECRET_BYTES = 20
#: A telephone's clock may be off by so many steps.
STEPS_OFF = 1
RECOVERY_CODES = 10
WRONG_CODE = "This code is not right, or it has been used already. Please type the newest one."

Means = Literal["app", "recovery_code"]


def set_up(user: User) -> None:
    """Give the user, locked by the caller, a new secret. It counts once `enable` saw a code.

    Raises Conflict when two-factor sign-in is on.
    """
    if user.totp_enabled_at is not None:
        raise Conflict("Two-factor sign-in is on already.")
    user.totp_secret = seal(_text(secrets.token_bytes(SECRET_BYTES)))
    user.totp_last_step = None


def waiting_secret(user: User) -> str | None:
    """The secret, as one types it, of a set-up that is not finished."""
    if user.totp_secret is None or user.totp_enabled_at is not None:
        return None
    return unseal(user.totp_secret)


def address_of(user: User, secret: str) -> str:
    """The `otpauth://` address that a QR code holds."""
    return _totp(secret).get_provisioning_uri(user.email, ISSUER)


def enable(session: Session, user: User, code: str) -> list[str]:
    """Turn it on for the user, locked by the caller, and end all sign-ins made without it.

    Gives the recovery codes, to be shown once. Raises Invalid (`code`) and Conflict.
    """
    if user.totp_enabled_at is not None or user.totp_secret is None:
        raise Conflict("Please begin again: this set-up was finished or left.")
    if not _takes_app_code(user, code):
        raise Invalid({"code": [WRONG_CODE]})
    user.totp_enabled_at = clock.now()
    users.end_sign_ins(session, user)
    return new_recovery_codes(session, user)


def disable(session: Session, user: User) -> None:
    user.totp_secret = user.totp_enabled_at = user.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.flush()


def take(session: Session, user: User, code: str) -> Means | None:
    """By which means this code is right for the user, locked by the caller. It is used up then."""
    if user.totp_enabled_at is None:
        return None
    if _takes_app_code(user, code):
        session.flush()
        return "app"
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _hash(user.id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    ).first()
    return "recovery_code" if used else None


def new_recovery_codes(session: Session, user: User) -> list[str]:
    """Ten new ones, to be shown once; older ones no longer work."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [passwords.groups(3) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user.id, c)) for c in codes)
    session.flush()
    return codes


def recovery_codes_left(session: Session, user_id: uuid.UUID) -> int:
    statement = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(statement) or 0


def _takes_app_code(user: User, code: str) -> bool:
    """Whether it is the code of a step that is near and newer than the last one used."""
    code = re.sub(r"\s", "", code)
    secret = unseal(user.totp_secret) if user.totp_secret else None
    if secret is None or not _APP_CODE.fullmatch(code):
        return False
    now = int(clock.now().timestamp()) // STEP_SECONDS
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if step > (user.totp_last_step or 0) and _is_code_of(secret, step, code):
            user.totp_last_step = step
            return True
    return False


def _is_code_of(secret: str, step: int, code: str) -> bool:
    try:
        _totp(secret).verify(code.encode(), step * STEP_SECONDS)
    except InvalidToken:
        return False
    return True


def _totp(secret: str) -> TOTP:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return TOTP(key, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - the apps know no other


def _text(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def _hash(user_id: uuid.UUID, code: str) -> str:
    """However it is typed. A code has 59 bits of chance, and each user's hashes differ."""
    plain = re.sub(r"[^a-z0-9]", "", code.lower())
    return hashlib.sha256(f"{user_id}:{plain}".encode()).hexdigest()
