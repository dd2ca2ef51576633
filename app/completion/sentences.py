"""Where the sentences of a message begin. Pure.

A break too many would let a negated promise count, one too few would hide a promise behind the
exclusion of its neighbour: so a full stop ends a sentence unless it is known to be something else.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from app.completion.plain_text import Plain, has_block

_CANDIDATE = re.compile(r"[.!?。؟।]+|[•◦‣▪●]| ")
_CLOSING = "\"')»›"
_OPENING = "\"'(«‹¿¡"
#: They end a sentence with nothing behind them, as written without spaces.
_FULL_WIDTH = "。！？｡"
_LINE_BREAK = re.compile("[\n\r\v\f\x85\u2028\u2029]")
_WORD_BEFORE = re.compile(r"(?<![^\W_])(?<![^\W_]\.)(?:[^\W_]++\.)*[^\W_]++$")
_LONGEST_WORD = 24
_NUMBER_BEFORE = re.compile(r"\d ?$")
#: "e.g", "z.b" and the "j" of "J. Smith", without their last full stop.
_INITIALS = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+|[^\W\d_]")

# In plain form. What stands before a name, a number or the rest of its sentence.
_ABBREVIATIONS = (
    "mr mrs ms mx dr prof st approx ca bzw inkl exkl vs resp evtl ggf vgl sog zzgl bspw circa betr "
    "geb incl excl esp hr fr hrn dipl ing mme mlle sra"
)
#: They may stand last, too: a capital tells.
_SELDOM = (
    "etc usw hrs hr std min sek mins wk wks mo inc ltd co corp tel jr sr al str jan feb mar apr "
    "jun jul aug sep sept oct okt nov dec dez mon tue tues wed thu thur thurs fri sat sun max mind "
    "gem fig a.m p.m"
)
_NEVER_LAST = frozenset(_ABBREVIATIONS.split())
_SELDOM_LAST = frozenset(_SELDOM.split())
_BEFORE_NUMBERS = frozenset(("no", "nr", "num", "art", "abs", "pos", "ext", "tel", "kap"))
_MONTHS = re.compile(
    r"(?:januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|"
    r"jänner|january|february|march|may|june|july|october|december)\b"
)


def sentence_starts(text: str, read: Plain) -> list[int]:
    """Where the sentences of `text` begin, as offsets into its plain form `read`; the first is 0.

    Lines, list items and blocks of HTML are sentences of their own.
    """
    return [0, *_breaks(text, read)]


def sentence_around(starts: list[int], start: int, end: int, length: int) -> tuple[int, int]:
    """The sentence, or the several, that `start` to `end` lies in."""
    first = starts[bisect_right(starts, start) - 1]
    after = bisect_left(starts, end)
    return first, starts[after] if after < len(starts) else length


def _breaks(text: str, read: Plain) -> Iterator[int]:
    plain = read.text
    for found in _CANDIDATE.finditer(plain):
        start, end = found.span()
        if found[0] == " ":
            if _is_line_end(text, read, start):
                yield end
        elif found[0] in "•◦‣▪●":
            yield start
        else:
            while end < len(plain) and plain[end] in _CLOSING:
                end += 1
            if end < len(plain) and _ends_sentence(text, read, start, found.end(), end):
                yield end


def _is_line_end(text: str, read: Plain, index: int) -> bool:
    """Whether the one space at `index` stands for a new line or the end of a block of HTML."""
    start = read.ends[index - 1] if index else 0
    end = read.starts[index + 1] if index + 1 < len(read.text) else len(text)
    gap = text[start:end]
    return _LINE_BREAK.search(gap) is not None or has_block(gap)


def _ends_sentence(text: str, read: Plain, start: int, end: int, closed: int) -> bool:
    """Whether the marks from `start` to `end`, with quotes and brackets to `closed`, do."""
    plain, marks = read.text, read.text[start:end]
    if any(text[read.starts[index]] in _FULL_WIDTH for index in range(start, end)):
        return True
    following = closed
    while following < len(plain) and plain[following] in " " + _OPENING:
        following += 1
    following_char = text[read.starts[following]] if following < len(plain) else ""
    if plain[closed] != " ":
        return not marks.startswith(".") and following_char.isupper()
    if marks.strip("."):
        return True
    if len(marks) > 1:
        return not following_char.islower()
    return _full_stop_ends(plain, start, following_char, following)


def _full_stop_ends(plain: str, stop: int, following_char: str, following: int) -> bool:
    found = _WORD_BEFORE.search(plain[max(0, stop - _LONGEST_WORD) : stop])
    if found is None:
        return True
    word = found[0]
    begin = stop - len(word)
    is_unit = _NUMBER_BEFORE.search(plain, max(0, begin - 2), begin) is not None
    goes_on = following_char.islower() or following_char.isdigit()
    if word.isdigit():
        return not (following_char.islower() or _MONTHS.match(plain, following))
    if word in _BEFORE_NUMBERS and following_char.isdigit():
        return False
    if is_unit or (word in _SELDOM_LAST and word not in _NEVER_LAST):
        return not goes_on
    return not (word in _NEVER_LAST or _INITIALS.fullmatch(word))
