"""The start of a receiver's answer, fit to be kept and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_BYTES = 2048
MASK = "[secret]"
#: PostgreSQL takes no NUL; a terminal and a page want no other control character either.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def start_of(body: bytes, confidential: Iterable[str] = ()) -> str:
    """At most 2 KB of readable text, in which our own secrets are masked."""
    text = printable(body.decode("utf-8", "replace"))
    for secret in sorted(confidential, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text.encode()[:MOST_BYTES].decode("utf-8", "ignore")


def printable(text: str) -> str:
    """The text without control characters other than newline and tab."""
    return _CONTROLS.sub("", text)
