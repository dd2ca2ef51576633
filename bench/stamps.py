"""Words that tell when they were said. One machine's clock, the same in all its processes."""

from __future__ import annotations

import re
import time

#: Letters, because digits in a text make the product look closer for "24 hours"; always as many,
#: so that a word is known to be whole without what follows. For JavaScript, too.
PATTERN = "z([a-j]{13})"
_TO_LETTERS = str.maketrans("0123456789", "abcdefghij")
_TO_DIGITS = str.maketrans("abcdefghij", "0123456789")
_STAMP = re.compile(PATTERN)


def stamp() -> str:
    """`time.monotonic()` as a word."""
    return f"z{round(1e6 * time.monotonic()):013}".translate(_TO_LETTERS)


def stamps_in(text: str) -> list[float]:
    """When each stamp in the text was made, as `time.monotonic()`."""
    return [seconds(letters) for letters in _STAMP.findall(text)]


def seconds(letters: str) -> float:
    """What the letters of one stamp say."""
    return int(letters.translate(_TO_DIGITS)) / 1e6
