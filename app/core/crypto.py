"""Signed tokens. The first secret signs, every secret verifies, so that secrets can be rotated."""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from app.core.errors import Unauthenticated


class Signer:
    """Makes and reads tokens for one purpose; a token of another purpose does not verify."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        # itsdangerous signs with the last key of a list.
        self._serializer = URLSafeTimedSerializer(list(reversed(secrets)), salt=purpose)

    def sign(self, subject: str) -> str:
        token = self._serializer.dumps(subject)
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str, max_age_seconds: int) -> str:
        """The subject that was signed. Raises Unauthenticated when wrong or too old."""
        try:
            return str(self._serializer.loads(token, max_age=max_age_seconds))
        except SignatureExpired as error:
            raise Unauthenticated("This chat has expired. Please start a new one.") from error
        except BadSignature as error:
            raise Unauthenticated("This token is not valid.") from error
