"""A telephone with an authenticator app, which knows the user's secret."""

from __future__ import annotations

import hmac
import struct
from base64 import b32decode

from app.core import clock
from app.core.crypto import unseal
from app.models import User


def code_of(user: User, steps: int = 0) -> str:
    """What the app shows so many steps of 30 s from now: RFC 4226, written down a second time."""
    assert user.totp_secret
    secret = unseal(user.totp_secret)
    assert secret
    return code_of_secret(secret, steps)


def code_of_secret(secret: str, steps: int = 0) -> str:
    step = int(clock.now().timestamp()) // 30 + steps
    key = b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
