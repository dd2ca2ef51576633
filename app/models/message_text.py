"""Words from outside, made so that a message may hold them."""

from __future__ import annotations

import re

LONGEST = 20_000
_FIRST, _LAST, _CUT = 19_000, 900, " […] "
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Without what PostgreSQL cannot hold: NUL and halves of characters."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("", text)


def fitted(text: str) -> str:
    """Storable and not too long: of a long text the beginning and the end. Empty for a blank."""
    text = storable(text)
    if not text.strip():
        return ""
    if len(text) > LONGEST:
        return f"{text[:_FIRST]}{_CUT}{text[-_LAST:]}"
    return text
