"""Does an assistant's message promise the booking? A site's phrases against a text. Pure.

Phrases are plain text typed by people who write landing pages. Phrase and message are brought to
the same plain form (`plain_text`) and compared there; "within 24 hours" also finds the other ways
of saying it. Most messages promise nothing, so a cheap look for one telling word comes first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from app.completion.plain_text import (
    IGNORED,
    LOOK_ALIKES,
    MARKS,
    has_markup,
    plain,
    plain_ascii,
    readings,
    unmask,
)
from app.models.transcript import Line

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


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The message that promised the booking, and the site's phrase it was recognised by."""

    message_id: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A site's phrases, ready to be looked for. Made by `compile_phrases`."""

    phrases: tuple[str, ...]
    _patterns: tuple[re.Pattern[str], ...] = field(repr=False)
    _anchors: tuple[str, ...] = field(repr=False)
    _masked_anchors: re.Pattern[str] = field(repr=False)

    def find(self, text: str) -> str | None:
        """The first of the site's phrases that `text` contains, as the site spells it."""
        if not self._may_match(text):
            return None
        simple = plain_ascii(text)
        found = self._match([r.text for r in readings(text)] if simple is None else [simple])
        return found[0] if found else None

    def locate(self, text: str) -> tuple[int, int] | None:
        """Where in `text` that phrase stands: start and end as offsets into `text` itself."""
        if not self._may_match(text):
            return None
        read = readings(text)
        found = self._match([reading.text for reading in read])
        if not found:
            return None
        _, index, match = found
        return read[index].origin(match.start(), match.end())

    def _may_match(self, text: str) -> bool:
        """No costs a fraction of a full look and is certain; yes only says that it is worth one."""
        if text.isascii():
            lowered = text.lower()
            for anchor in self._anchors:
                if anchor in lowered:
                    return True
            bare = lowered.translate(MARKS)
            if len(bare) != len(lowered):
                for anchor in self._anchors:
                    if anchor in bare:
                        return True
        else:
            bare = unicodedata.normalize("NFKC", text)
            if IGNORED.search(bare):
                bare = IGNORED.sub("", bare)
            if self._masked_anchors.search(bare.casefold()):
                return True
        return has_markup(text)

    def _match(self, texts: list[str]) -> tuple[str, int, re.Match[str]] | None:
        """The phrase, which of the texts (readings of one message) has it, and where."""
        for phrase, pattern in zip(self.phrases, self._patterns, strict=True):
            for index, text in enumerate(texts):
                if match := pattern.search(text):
                    return phrase, index, match
        return None


@lru_cache(maxsize=1024)
def compile_phrases(phrases: tuple[str, ...], exclusions: tuple[str, ...] = ()) -> Rule:
    """The rule for a site's phrases, in their order. Phrases without anything visible are left out.

    The same phrases give the same rule again, so callers need not keep it.
    """
    forms = {phrase: found for phrase in phrases if (found := _forms(phrase))}
    anchors = tuple(dict.fromkeys(_anchor(form) for found in forms.values() for form in found))
    return Rule(
        phrases=tuple(forms),
        _patterns=tuple(re.compile("|".join(map(_pattern, found))) for found in forms.values()),
        _anchors=anchors,
        # (?!) never matches: a rule without phrases finds nothing.
        _masked_anchors=re.compile("|".join(map(_masked, anchors)) or "(?!)"),
    )


def confirmed_by(
    lines: Iterable[Line], rule: Rule, after: tuple[int, datetime] | None = None
) -> Confirmation | None:
    """The first assistant's message that follows a visitor's and holds one of the phrases.

    `lines` are a session's, oldest first. A greeting, an agent's or a system line never confirms,
    nor does one that is not newer than `after`, an id and a time: a person discounted it.
    """
    visitor_spoke = False
    for line in lines:
        if line.role == "visitor":
            visitor_spoke = True
        elif not visitor_spoke or line.role != "assistant" or not _counts(line, after):
            continue
        elif phrase := rule.find(line.text):
            return Confirmation(message_id=line.id, phrase=phrase)
    return None


def _counts(line: Line, after: tuple[int, datetime] | None) -> bool:
    return after is None or (line.id > after[0] and line.at >= after[1])


def _forms(phrase: str) -> list[str]:
    """A phrase as it is compared; a full stop or "!" at its end is not part of what it says."""
    forms = [plain(spelling).text.strip() for spelling in (phrase, unmask(phrase))]
    return [form for form in dict.fromkeys(form.rstrip(".! ") or form for form in forms) if form]


def _pattern(form: str) -> str:
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


def _anchor(form: str) -> str:
    """A piece that any text with this phrase must contain: its longest word, if it has one."""
    if _PROMISE.search(form):
        return "within"
    words: list[str] = re.findall(r"[^\W\d_]+", form) or re.findall(r"\d+", form) or form.split()
    return max(words, key=len)


def _masked(anchor: str) -> str:
    """The anchor with every letter's look-alikes and every script's digits allowed."""
    return "".join(r"\d" if char.isdigit() else f"[{_drawn_like(char)}]" for char in anchor)


def _drawn_like(char: str) -> str:
    others = LOOK_ALIKES.get(char, "")
    return re.escape(char + others + others.casefold())
