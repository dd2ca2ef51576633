"""Which of the offered choices a visitor means, typed loosely, with typing mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from app.models.site_profile import Field
from app.models.transcript import Choice

_WORD = re.compile(r"[^\W_]+")
_WORD_ENDS = re.compile(r"(?:e?s)?(?: |$)")
_NEGATED = re.compile(
    r"\b(?:not|isn't|instead of|rather than|except)\s+(?:(?:a|an|the|my|our|for)\s+)*", re.I
)


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CHANGED_MIND = re.compile(r"\b(?:no|wait|sorry|actually|i meant?|rather)\b", re.I)
_FILLERS = _words_of(
    """
    a an the my our please just only for i we it s is m to need want would like think about new
    that this one option number um well oh ok yes
    """
)
#: Labels too common to be meant when nobody asked.
_EVERYDAY = _words_of(
    """
    yes no maybe other others else none today tomorrow now soon later new old one two three me
    us home good fine sure both all any a b c d
    """
)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_MAX_WORDS_FOR_TYPING_MISTAKES = 12
_MAX_CHARACTERS = 500
_ALIKE = 0.82


def match_choice(field: Field, text: str) -> Choice | None:
    """The choice meant by an answer to this field's question; None: none, or more than one."""
    text = text[:_MAX_CHARACTERS]
    words = _words(text)
    if not words:
        return None
    if choice := exact_choice(field, text):
        return choice
    bare = [word for word in words if word not in _FILLERS]
    if choice := _by_number(field, words, bare):
        return choice
    named = _named(field.choices, text)
    if len(named) > 1:
        named = _named(named, _CHANGED_MIND.split(text)[-1]) or named
    if named:
        return named[0] if len(named) == 1 else None
    return _alike(field.choices, words, bare)


def exact_choice(field: Field, text: str) -> Choice | None:
    """The choice whose button was pressed, or whose label or value was typed in full."""
    typed = _words(text)
    for choice in field.choices:
        if typed and typed in (_words(choice.label), _words(choice.value)):
            return choice
    return next((c for c in field.choices if text.strip() in (c.label, c.value)), None)


def mentioned_choice(field: Field, text: str) -> Choice | None:
    """The one choice named in passing by its whole label, when nobody has asked for it."""
    text = text[:_MAX_CHARACTERS]
    telling = [
        c for c in field.choices if any(len(w) > 2 and w not in _EVERYDAY for w in _words(c.label))
    ]
    telling = [c for c in telling if _words(c.label)[-1] != "else"]
    named = _named(telling, text)
    return named[0] if len(named) == 1 else None


def _named(choices: Iterable[Choice], text: str) -> list[Choice]:
    """Choices whose whole label stands in the text and is not turned down ("not the kitchen")."""
    said = " ".join(_words(_NEGATED.sub(" not_", text.replace("’", "'")), keep_marks=True))
    return [c for c in choices if _stands_in(said, " ".join(_words(c.label)))]


def _stands_in(said: str, label: str) -> bool:
    at = said.find(label)
    while label and at >= 0:
        is_begun = at == 0 or said[at - 1] == " "
        if is_begun and _WORD_ENDS.match(said, at + len(label)):
            return True
        at = said.find(label, at + 1)
    return False


def _by_number(field: Field, words: list[str], bare: list[str]) -> Choice | None:
    if len(words) > 4 or len(bare) != 1:
        return None
    word = bare[0]
    index = int(word) - 1 if word.isdecimal() and len(word) < 3 else _ORDINALS.get(word)
    if index is None or not -1 <= index < len(field.choices) or (word.isdecimal() and index < 0):
        return None
    return field.choices[index]


def _alike(choices: tuple[Choice, ...], words: list[str], bare: list[str]) -> Choice | None:
    """The one choice whose label the text nearly spells, shortens, or names by one of its words."""
    if len(words) > _MAX_WORDS_FOR_TYPING_MISTAKES:
        return None
    hits = [c for c in choices if _nearly_said(_words(c.label), words, bare)]
    return hits[0] if len(hits) == 1 else None


def _nearly_said(label: list[str], words: list[str], bare: list[str]) -> bool:
    whole = " ".join(label)
    if len(bare) == 1 and len(bare[0]) >= 4:
        telling = [w for w in label if w not in _EVERYDAY and w != "something"]
        if any(word.startswith(bare[0]) or _is_alike(word, bare[0]) for word in telling):
            return True
    if bare and _is_alike(" ".join(bare), whole):
        return True
    size = len(label)
    return len(whole) >= 4 and any(
        _is_alike(" ".join(words[at : at + size]), whole) for at in range(len(words) - size + 1)
    )


def _is_alike(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 3 or len(one) < 4:
        return False
    if one[0] != other[0] and one[-1] != other[-1]:
        return False
    return SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _words(text: str, *, keep_marks: bool = False) -> list[str]:
    if keep_marks:
        return re.findall(r"\w+", text.casefold())
    return _WORD.findall(text.casefold())
