"""A phrase or an exclusion, typed by people who write landing pages, as a pattern to look for."""

from __future__ import annotations

import re

from app.completion.plain_text import LOOK_ALIKES, plain, unmask

_UNITS = {
    "hour": r"(?:hours?|hrs?|h)",
    "day": r"(?:days?|d)",
    "minute": r"(?:minutes?|mins?)",
    "week": r"(?:weeks?|wks?)",
    "month": r"months?",
}
_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
_ONES = {word: n for n, word in enumerate(_WORDS.split()[:19], start=1)}
_TENS = {word: n for n, word in zip(range(20, 100, 10), _WORDS.split()[19:], strict=True)}
_NUMBERS = {
    **_ONES,
    **_TENS,
    **{f"{ten} {one}": _TENS[ten] + _ONES[one] for ten in _TENS for one in list(_ONES)[:9]},
    "a": 1,
    "an": 1,
    "hundred": 100,
    "a hundred": 100,
    "one hundred": 100,
}

# "within 24 hours" as a site may write it: number, perhaps "business", unit.
_PROMISE = re.compile(
    r"\bwithin (?:(?:the next|the|a) )?"
    rf"(?P<number>\d{{1,4}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}) ?"
    r"(?P<kind>business |working )?"
    r"(?P<unit>hour|hr|h|day|d|minute|min|week|wk|month)s?(?!\w)"
)
_UNIT_NAMES = {"hr": "hour", "h": "hour", "d": "day", "min": "minute", "wk": "week"}
_LEAD_IN = (
    r"(?: (?:a|an|the|our|next|coming|following|about|around|approximately|approx\.?|roughly"
    r"|at most|a maximum of)){0,3}"
)

# Scripts written without spaces, and Korean, whose endings join on: no word boundary beside them.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    r"\U00020000-\U0003ffff"
)
_NO_WORD_BEFORE = rf"(?<![^\W{_UNSPACED}])"
_NO_WORD_AFTER = rf"(?![^\W{_UNSPACED}]|[\u0300-\u036f])"


def forms_of(phrase: str) -> list[str]:
    """A phrase as it is compared; a full stop or "!" at its end is not part of what it says."""
    forms = [plain(spelling).text.strip() for spelling in (phrase, unmask(phrase))]
    return [form for form in dict.fromkeys(form.rstrip(".! ") or form for form in forms) if form]


def pattern_of(form: str) -> str:
    parts: list[str] = []
    end = 0
    for promise in _PROMISE.finditer(form):
        parts += (re.escape(form[end : promise.start()]), _within(promise))
        end = promise.end()
    parts.append(re.escape(form[end:]))
    before = _NO_WORD_BEFORE if _is_word(form[0]) else ""
    after = _NO_WORD_AFTER if _is_word(form[-1]) else ""
    return before + "".join(parts) + after


def _within(promise: re.Match[str]) -> str:
    """Every way of saying "within 24 hours"; the word "within" is never optional."""
    unit = promise["unit"]
    written = promise["number"]
    number = int(written) if written.isdigit() else _NUMBERS[written]
    words = sorted((w for w, n in _NUMBERS.items() if n == number), key=len, reverse=True)
    amount = "|".join([f"0*{number}", *(word.replace(" ", " ?") for word in words)])
    kind = "(?:business|working) " if promise["kind"] else ""
    return (
        rf"within{_LEAD_IN} ?(?:{amount})(?: ?\((?:{amount})\))? ?{kind}"
        rf"{_UNITS[_UNIT_NAMES.get(unit, unit)]}{_NO_WORD_AFTER}"
    )


def _is_word(char: str) -> bool:
    return char.isalnum() and not re.match(f"[{_UNSPACED}]", char)


def anchor_of(form: str) -> str:
    """A piece that any text with this phrase must contain: its longest word, if it has one."""
    if _PROMISE.search(form):
        return "within"
    words: list[str] = re.findall(r"[^\W\d_]+", form) or re.findall(r"\d+", form) or form.split()
    return max(words, key=len)


def masked(anchor: str) -> str:
    """The anchor with every letter's look-alikes and every script's digits allowed."""
    return "".join(r"\d" if char.isdigit() else f"[{_drawn_like(char)}]" for char in anchor)


def _drawn_like(char: str) -> str:
    others = LOOK_ALIKES.get(char, "")
    return re.escape(char + others + others.casefold())
