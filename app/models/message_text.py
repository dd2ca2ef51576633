"""Words from outside, made so that a message may hold them."""

from __future__ import annotations

import re

LONGEST = 20_000
_FIRST, _LAST, _CUT = 19_000, 900, " […] "
#: What is read to understand a visitor's line. All that the widget lets somebody write is read
#: (4,000 characters); of a longer line from outside, such as a forwarded email, where people say
#: what they want and where they sign. Assistants' lines are searched for promises whole.
_READ_FIRST, _READ_LAST = 4_000, 2_000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Without what PostgreSQL cannot hold: NUL and halves of characters."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("", text)


def to_understand(text: str) -> str:
    """The part of a visitor's line that is read for what it means; the whole of it is stored."""
    if len(text) <= _READ_FIRST + _READ_LAST:
        return text
    return f"{text[:_READ_FIRST]}\n{text[-_READ_LAST:]}"


def fitted(text: str) -> str:
    """Storable and not too long: of a long text the beginning and the end. Empty for a blank."""
    text = storable(text)
    if not text.strip():
        return ""
    if len(text) > LONGEST:
        return f"{text[:_FIRST]}{_CUT}{text[-_LAST:]}"
    return text
