"""What somebody typed into the search box: which words they are, and where a text holds them.

All words must be found in a session. A word is found in a message as a whole word, the last one
also as the beginning of one, and "quoted words" side by side; in the lead's name, e-mail, phone and
company anything is found that contains it. Case does not matter, accents do, punctuation parts
words. Nothing typed is wrong: what says nothing is not looked for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 1_000
MOST_TERMS = 12
#: A phone number typed in pieces, "020 7946 0958", has at least so many digits.
PHONE_DIGITS = 7
_QUOTED_OR_NOT = re.compile(r'"([^"]*)"?|([^\s"]+)')
_PHONE_PIECE = re.compile(r"[+(]*\d[\d()./+-]*")
#: Between two words of a phrase, and between two digits of a phone number.
_BETWEEN_WORDS = r"[\W_]+"
_BETWEEN_DIGITS = r"[\s()./-]*"
Marks = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to find. `pieces`: its words for a message, without punctuation; maybe none.

    `digits`: what it is as a phone number without the zeros before it, None if it is none.
    """

    text: str
    pieces: tuple[str, ...]
    is_prefix: bool = False
    digits: str | None = None


@lru_cache(maxsize=256)
def terms(words: str) -> tuple[Term, ...]:
    """What to look for, in the order typed, each once."""
    typed = "".join(map(_seen, words[:MOST_CHARACTERS]))
    parts: list[tuple[str, bool]] = []
    for quoted, plain in _QUOTED_OR_NOT.findall(typed):
        text = " ".join((quoted or plain).split())
        if text:
            parts.append((text, bool(quoted)))
    parts = _with_whole_phones(parts)[:MOST_TERMS]
    found = [
        Term(
            text,
            _pieces(text),
            is_prefix=index == len(parts) - 1 and not is_quoted,
            digits=_digits(text),
        )
        for index, (text, is_quoted) in enumerate(parts)
    ]
    return tuple(dict.fromkeys(found))


def marks(text: str, words: str | None) -> Marks:
    """The text of a message in pieces, each with whether it is a hit; together they are `text`."""
    return _marked(text, [_in_message(term) for term in terms(words or "") if term.pieces])


def lead_marks(value: str, words: str | None) -> Marks:
    """The same for a lead's name, e-mail, phone or company, where parts of words are hits, too."""
    found = terms(words or "")
    phones = [_BETWEEN_DIGITS.join(term.digits) for term in found if term.digits]
    return _marked(value, [*phones, *(_spaced(term.text) for term in found)])


def excerpt(text: str, is_cut_before: bool, is_cut_after: bool) -> str:
    """Part of a message, from whole word to whole word, with dots where it was cut."""
    if is_cut_before:
        text = "… " + (text.split(maxsplit=1)[1:] or [text])[0]
    if is_cut_after:
        text = (text.rsplit(maxsplit=1)[:1] or [text])[0] + " …"
    return text


def _seen(character: str) -> str:
    """NUL and its like would break the query, and nobody sees them."""
    return " " if unicodedata.category(character).startswith("C") else character


def _pieces(text: str) -> tuple[str, ...]:
    """As the database parts words: at spaces, punctuation and signs."""
    parted = "".join(" " if unicodedata.category(c)[0] in "PSZ" else c for c in text)
    return tuple(parted.split())


def _digits(text: str) -> str | None:
    if not all(map(_PHONE_PIECE.fullmatch, text.split())):
        return None
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits if len(digits) > 1 and digits.isascii() else None


def _with_whole_phones(parts: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """A number typed in pieces is one thing to find."""
    together: list[tuple[str, bool]] = []
    run: list[tuple[str, bool]] = []
    for part in [*parts, ("", False)]:
        if _PHONE_PIECE.fullmatch(part[0]):
            run.append(part)
            continue
        whole = " ".join(text for text, _ in run)
        is_phone = len(re.sub(r"\D", "", whole)) >= PHONE_DIGITS
        together += [(whole, False)] if is_phone else run
        run = []
        together += [part] if part[0] else []
    return together


def _in_message(term: Term) -> str:
    whole = _BETWEEN_WORDS.join(map(re.escape, term.pieces))
    return rf"(?<![^\W_]){whole}" + ("" if term.is_prefix else r"(?![^\W_])")


def _spaced(text: str) -> str:
    return r"\s+".join(map(re.escape, text.split()))


def _marked(text: str, patterns: list[str]) -> Marks:
    if not patterns:
        return [(text, False)] if text else []
    marked, at = [], 0
    for hit in re.finditer("|".join(patterns), text, re.IGNORECASE):
        marked += [(text[at : hit.start()], False), (hit[0], True)]
        at = hit.end()
    return [(part, is_hit) for part, is_hit in (*marked, (text[at:], False)) if part]
