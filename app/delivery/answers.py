"""The start of a receiver's answer, fit to be kept and shown."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.safe_text import printable

MOST_BYTES = 2048
MASK = "[secret]"


def start_of(body: bytes, confidential: Iterable[str] = ()) -> str:
    """At most 2 KB of readable text, in which our own secrets are masked."""
    text = printable(body.decode("utf-8", "replace"))
    for secret in sorted(confidential, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text.encode()[:MOST_BYTES].decode("utf-8", "ignore")
