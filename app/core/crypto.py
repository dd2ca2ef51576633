"""Signed tokens and sealed texts. The first secret signs and seals, every secret verifies and
opens, so that secrets can be rotated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.core import clock
from app.core.errors import Unauthenticated


class Signer:
    """Makes and reads tokens for one purpose; a token of another purpose does not verify."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        # itsdangerous signs with the last key of a list.
        self._serializer = URLSafeTimedSerializer(list(reversed(secrets)), salt=purpose)
        # A chat sends its token with every message.
        self._verified = lru_cache(maxsize=4096)(self._verify)

    def sign(self, subject: str) -> str:
        token = self._serializer.dumps(subject)
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str, max_age_seconds: int) -> str:
        """The subject that was signed. Raises Unauthenticated when wrong or too old."""
        try:
            subject, signed_at = self._verified(token)
        except BadSignature as error:
            raise Unauthenticated("This token is not valid.") from error
        if clock.now() - signed_at > timedelta(seconds=max_age_seconds):
            raise Unauthenticated("This chat has expired. Please start a new one.")
        return subject

    def _verify(self, token: str) -> tuple[str, datetime]:
        subject, signed_at = self._serializer.loads(token, return_timestamp=True)
        return str(subject), signed_at


class _Box:
    """What is stored sealed: the first key seals, every key opens. Set by `configure_sealing`."""

    fernet: MultiFernet | None = None


def configure_sealing(secrets: Sequence[str]) -> None:
    """Set by wiring. `secrets`: SECRET_KEY, the newest first."""
    keys = (hashlib.sha256(b"sealed:" + secret.encode()).digest() for secret in secrets)
    _Box.fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def seal(text: str) -> str:
    """The text as it may be stored: only who has the SECRET_KEY can read it."""
    assert _Box.fernet is not None, "sealing was not configured"
    return _Box.fernet.encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """What was sealed; None when the SECRET_KEY it was sealed with is gone."""
    assert _Box.fernet is not None, "sealing was not configured"
    try:
        return _Box.fernet.decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
