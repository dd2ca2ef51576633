"""An assistant that recites its directions is found while it speaks, in whatever dress."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from functools import lru_cache

#: About eight words of the rules, without what is no letter.
_RECITED = 40
#: Of a site's own directions more may be repeated: they hold facts that are meant to be told.
_RECITED_OF_SITE = 80
#: So much in a row may be the beginning of a recital: it waits until that is clear.
_SUSPICIOUS = 18
_DIGITS_AS_LETTERS = str.maketrans("0134578", "oieastb")
_SIGN = "[A-Za-z0-9+/=_-]"
#: So many characters of a word tell whether it can still become a long token.
_WORD_TOLD_BY = 64
#: A line of dashes is none.
_LONG_TOKEN = re.compile(r"(?<!\S)(?!https?://|www\.)(?=[+/=_-]*[A-Za-z0-9])[A-Za-z0-9+/=_-]{56,}")
_NUMBERS = re.compile(r"(?:\b(?:0x)?[0-9A-Fa-f]{2,3}\b[\s,;:-]*){24,}")
_NUMBER = re.compile(r"\b(?:0x)?([0-9A-Fa-f]{2,3})\b")
_BASES = (10, 16, 8)
#: Without any of these nearby there is none of that.
_ODD = re.compile(r"[0-9]|[a-z][A-Z]|[A-Za-z0-9+/=_-]{16}")
_NEAR, _TAIL, _AROUND = 60, 240, 500
#: Something encoded may be on its way: codes of letters, long tokens, several with odd capitals.
_LAST_WORD = rf"\S{{0,{_TAIL}}}+$"
_MAYBE_CODED = re.compile(
    rf"(?:\b(?:0x)?[0-9A-Fa-f]{{2,3}}\b[\s,;:-]{{0,3}}+){{8}}{_LAST_WORD}"
    rf"|(?<!{_SIGN})(?:{_SIGN}{{32,}}+|{_SIGN}{{16,}}+\s++{_SIGN}{{16,}}+)\s*+{_LAST_WORD}"
    rf"|(?:\b(?=[A-Za-z0-9+/]{{0,{_TAIL}}}?[a-z0-9][A-Z])[A-Za-z0-9+/]++=*+\s++){{4}}{_LAST_WORD}"
)
_CODED = re.compile(r"[A-Za-z0-9+/=\s_-]{40,}")


class RecitedError(Exception):
    """What comes is the directions, or looks like something encoded."""


class Recital:
    """Listens to one answer. `hear` and `finish` give what can be said; they raise RecitedError."""

    def __init__(self, rules: str, of_site: str = "") -> None:
        self._runs = _runs(rules, _RECITED)
        self._beginnings = _runs(rules, _SUSPICIOUS)
        self._runs_of_site = _runs(of_site, _RECITED_OF_SITE)
        self._beginnings_of_site = _runs(of_site, _SUSPICIOUS)
        self._letters = ""
        self._text = ""
        self._held = ""
        self._word = ""  # the beginning of the word that is being said
        self._is_maybe_coded = False

    def hear(self, piece: str) -> str:
        heard = len(self._letters)
        self._text += piece
        self._letters += _letters(piece)
        for end in range(heard + 1, len(self._letters) + 1):
            if (
                self._letters[max(0, end - _RECITED) : end] in self._runs
                or self._letters[max(0, end - _RECITED_OF_SITE) : end] in self._runs_of_site
            ):
                raise RecitedError
        recent = self._word + piece
        if _LONG_TOKEN.search(recent):
            raise RecitedError
        last = recent[-1:].strip() and recent.split()[-1]
        self._word = last[:_WORD_TOLD_BY]
        self._held += piece
        if self._letters[-_SUSPICIOUS:] in self._beginnings:
            return ""
        if _ODD.search(self._text[-_NEAR:]) and _MAYBE_CODED.search(self._text[-_TAIL:]):
            self._is_maybe_coded = True
            return ""
        return self._released()

    def finish(self) -> str:
        if self._holds_coded(self._text):
            raise RecitedError
        return self._held

    def _released(self) -> str:
        if self._is_maybe_coded and self._holds_coded(self._text[-len(self._held) - _AROUND :]):
            raise RecitedError
        self._is_maybe_coded = False
        said, self._held = self._held, ""
        return said

    def _holds_coded(self, text: str) -> bool:
        if any(map(self._is_numbered, (found.group() for found in _NUMBERS.finditer(text)))):
            return True
        for match in _CODED.finditer(text):
            packed = "".join(match.group().split()).rstrip("=").translate(_URL_SAFE)
            for at in range(4):
                part = packed[at:]
                part = part[: len(part) // 4 * 4]
                try:
                    decoded = base64.b64decode(part).decode("utf-8", "ignore")
                except (binascii.Error, ValueError):
                    continue
                letters = _letters(decoded)
                if any(
                    letters[end - _RECITED : end] in self._runs
                    for end in range(_RECITED, len(letters) + 1)
                ):
                    return True
        return False

    def _is_numbered(self, numbers: str) -> bool:
        """Whether these are codes of letters; free times and sizes are numbers in a row, too."""
        written = _NUMBER.findall(numbers)
        for base in _BASES:
            letters = _letters("".join(_sign(number, base) for number in written))
            for end in range(_SUSPICIOUS, len(letters) + 1):
                run = letters[end - _SUSPICIOUS : end]
                if run in self._beginnings or run in self._beginnings_of_site:
                    return True
        return False


def _sign(number: str, base: int) -> str:
    try:
        return chr(int(number, base))
    except ValueError:
        return ""


_URL_SAFE = str.maketrans("-_", "+/")


@lru_cache(maxsize=256)
def _runs(text: str, length: int) -> frozenset[str]:
    """Every run of so many letters: forwards, backwards, words backwards, letters turned by 13."""
    dressed = (
        text,
        text[::-1],
        " ".join(reversed(text.split())),
        codecs.encode(text, "rot13"),
    )
    letters = [_letters(one) for one in dressed]
    return frozenset(
        one[at : at + length] for one in letters for at in range(len(one) - length + 1)
    )


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_DIGITS_AS_LETTERS)
    return "".join(filter(str.isalpha, plain))
