"""What a message says once its dress is off: marks, markup, invisible and exotic characters."""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

_MARKS = r"*_~`#>[]\|"
MARKS = str.maketrans("", "", _MARKS)

# Unicode category Cf, and what else takes no room: variation selectors, joiners, fillers,
# and the key cap around an emoji digit.
_ZERO_WIDTH = (
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
IGNORED = re.compile(f"[{_ZERO_WIDTH}{re.escape(_MARKS)}]+")

# Where a link leads, in brackets after its words: as Markdown has it, or as plain text of that.
_TARGET = r"\s?\((?:https?:|mailto:|tel:|www\.|/)[^()\s]*\)"
_MARKUP = re.compile(rf"<[a-zA-Z/!]|&(?:#|[a-zA-Z])|\]\(|{_TARGET}")
_BLOCK = re.compile(
    r"</?(?:br|p|div|li|ul|ol|t[rdh]|h[1-6r]|table|tbody|blockquote|section)\b", re.IGNORECASE
)
# Marks that NFKC joins to the character before them.
_COMBINING = "\u0300-\u036f\u0653-\u0655\u1161-\u11ff\u3099\u309a\uff9e\uff9f"
_PIECE = re.compile(
    r"(?P<tag><[a-zA-Z/!][^<>]*>)"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?)"
    rf"|(?P<link>\]\([^()\s]*(?: \"[^\"()]*\")?\)|{_TARGET})"
    rf"|(?s:.)[{_COMBINING}]*"
)
_GAP = re.compile(r"[\s-]+")
_FOLDED = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'}
_OTHER_DASHES = "\u2212\u2043\u02d7"

# Latin letter → Cyrillic and Greek letters that are drawn like it, both cases.
LOOK_ALIKES = {
    "a": "аАαΑ",
    "b": "ВвΒ",
    "c": "сС",
    "d": "ԁԀ",
    "e": "еЕεΕ",
    "h": "һҺНнΗ",
    "i": "іІιΙ",
    "j": "јЈ",
    "k": "кКκΚ",
    "l": "ӏӀ",
    "m": "мМΜ",
    "n": "ηΝ",
    "o": "оОοΟ",
    "p": "рРρΡ",
    "q": "ԛԚ",
    "s": "ѕЅ",
    "t": "тТτΤ",
    "u": "υ",
    "v": "ν",
    "w": "ԝԜω",
    "x": "хХχΧ",
    "y": "уУΥγ",
    "z": "Ζ",
}
_LATIN = {ord(other): latin for latin, others in LOOK_ALIKES.items() for other in others}
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text's plain form, and for each of its characters where in the original it came from."""

    text: str
    starts: list[int]
    ends: list[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]

    def between(self, start: int, end: int) -> tuple[int, int]:
        """What of this plain form comes from `start` to `end` of the original."""
        return bisect_left(self.starts, start), bisect_left(self.starts, end)


def plain(text: str) -> Plain:
    """NFKC and folded case; no marks, markup or zero width; one space for white space and dashes.

    Digits of every script become 0-9, and typographic quotes straight ones.
    """
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece in _PIECE.finditer(text):
        shown = _shown(piece)
        for char in shown:
            if char == " " and chars and chars[-1] == " ":
                continue
            chars.append(char)
            starts.append(piece.start())
            ends.append(piece.end())
    return Plain("".join(chars), starts, ends)


def plain_ascii(text: str) -> str | None:
    """The same text as `plain` gives, many times faster; None if `text` is not simple enough."""
    if not text.isascii() or has_markup(text):
        return None
    return _GAP.sub(" ", text.lower().translate(MARKS))


def readings(text: str) -> list[Plain]:
    """What `text` says as it stands, and what it looks like where letters are disguised."""
    unmasked = unmask(text)
    return [plain(text)] if unmasked == text else [plain(text), plain(unmasked)]


def has_markup(text: str) -> bool:
    return ("&" in text or "<" in text or "(" in text) and _MARKUP.search(text) is not None


def has_block(text: str) -> bool:
    """Whether there is a tag in it that begins or ends a block: a paragraph, a list item."""
    return "<" in text and _BLOCK.search(text) is not None


def unmask(text: str) -> str:
    """`text`, of the same length, with disguised Latin words written in Latin letters.

    A word is disguised when all its Cyrillic and Greek letters have a Latin twin: either among
    Latin letters ("wіthin") or alone. A real word of those scripts nearly always has others.
    """
    if text.isascii() or not _FOREIGN.search(text):
        return text
    return _WORD.sub(_unmask_word, text)


def _unmask_word(word: re.Match[str]) -> str:
    unmasked = word[0].translate(_LATIN)
    return word[0] if _FOREIGN.search(unmasked) else unmasked


def _shown(piece: re.Match[str]) -> str:
    if piece.lastgroup is None:
        return _folded(piece[0])
    if piece.lastgroup == "tag":
        return " " if _BLOCK.match(piece[0]) else ""
    if piece.lastgroup == "entity":
        return "".join(map(_folded, html.unescape(piece[0])))
    return ""


@lru_cache(maxsize=4096)
def _folded(cluster: str) -> str:
    """One character with the marks on it, as it is compared."""
    folded = IGNORED.sub("", unicodedata.normalize("NFKC", cluster)).casefold()
    return "".join(map(_folded_char, folded))


def _folded_char(char: str) -> str:
    if char.isspace() or unicodedata.category(char) == "Pd" or char in _OTHER_DASHES:
        return " "
    digit = unicodedata.digit(char, None)
    return str(digit) if digit is not None else _FOLDED.get(char, char)
