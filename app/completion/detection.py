"""Does an assistant's message promise the booking? A site's phrases against a text. Pure.

Phrases are plain text typed by people who write landing pages. Phrase and message are brought to
the same plain form (`plain_text`) and compared there; "within 24 hours" also finds the other ways
of saying it. An exclusion is compared in the same way: a phrase does not count in a sentence that
holds one. Most messages promise nothing, so a cheap look for one telling word comes first, and
sentences are looked at only where a phrase was found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from app.completion.patterns import anchor_of, forms_of, masked, pattern_of
from app.completion.plain_text import (
    IGNORED,
    MARKS,
    Plain,
    has_markup,
    plain_ascii,
    readings,
)
from app.completion.sentences import sentence_around, sentence_starts
from app.models.transcript import Line

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The message that promised the booking, and the site's phrase it was recognised by."""

    message_id: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phrase stands. Spans are offsets into the text itself; `sentence` is around it.

    `exclusion`: why it does not count there, as the site spells it, and where that stands.
    """

    phrase: str
    span: Span
    sentence: Span
    exclusion: str | None = None
    exclusion_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A site's phrases and exclusions, ready to be looked for. Made by `compile_phrases`."""

    phrases: tuple[str, ...]
    exclusions: tuple[str, ...]
    _patterns: tuple[re.Pattern[str], ...] = field(repr=False)
    _excluding: tuple[re.Pattern[str], ...] = field(repr=False)
    _anchors: tuple[str, ...] = field(repr=False)
    _masked_anchors: re.Pattern[str] = field(repr=False)

    def find(self, text: str) -> str | None:
        """The first of the site's phrases that counts in `text`, as the site spells it."""
        if not self._may_match(text):
            return None
        simple = plain_ascii(text)
        texts = [read.text for read in readings(text)] if simple is None else [simple]
        phrase = self._match(texts)
        if phrase is None or not self._is_excluding(texts):
            return phrase
        return next((place.phrase for place in self.places(text) if not place.exclusion), None)

    def locate(self, text: str) -> Span | None:
        """Where in `text` that phrase stands: start and end as offsets into `text` itself."""
        if not self._may_match(text):
            return None
        return next((place.span for place in self.places(text) if not place.exclusion), None)

    def places(self, text: str) -> Iterator[Place]:
        """Every place where a phrase stands, whether it counts there or not: by the site's order
        of phrases, then from the first to the last.
        """
        read = readings(text)
        starts = [sentence_starts(text, each) for each in read]
        # A sentence may hold a phrase a thousand times: its exclusions are looked for once.
        excluded: dict[Span, tuple[str | None, Span | None]] = {}
        for phrase, pattern in zip(self.phrases, self._patterns, strict=True):
            for each, begins in zip(read, starts, strict=True):
                for match in pattern.finditer(each.text):
                    first, last = sentence_around(begins, *match.span(), len(each.text))
                    span = each.origin(*match.span())
                    sentence = each.origin(first, last)
                    if sentence not in excluded:
                        excluded[sentence] = self._excluded(read, sentence)
                    yield Place(phrase, span, sentence, *excluded[sentence])

    def at(self, _message_id: int) -> Rule:
        """The rule for this message: the same for all (`ChangedRule` has two)."""
        return self

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

    def _match(self, texts: list[str]) -> str | None:
        """The first phrase that any of the texts, readings of one message, has."""
        for phrase, pattern in zip(self.phrases, self._patterns, strict=True):
            for text in texts:
                if pattern.search(text):
                    return phrase
        return None

    def _is_excluding(self, texts: list[str]) -> bool:
        return any(pattern.search(text) for pattern in self._excluding for text in texts)

    def _excluded(self, read: list[Plain], sentence: Span) -> tuple[str | None, Span | None]:
        for exclusion, pattern in zip(self.exclusions, self._excluding, strict=True):
            for each in read:
                first, last = each.between(*sentence)
                if match := pattern.search(each.text[first:last]):
                    return exclusion, each.origin(first + match.start(), first + match.end())
        return None, None


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """A rule that was changed: messages up to the id `through` are judged by the one before."""

    now: Rule
    before: Rule
    through: int

    def find(self, text: str) -> str | None:
        return self.now.find(text)

    def locate(self, text: str) -> Span | None:
        return self.now.locate(text)

    def at(self, message_id: int) -> Rule:
        return self.before if message_id <= self.through else self.now


@lru_cache(maxsize=1024)
def compile_phrases(phrases: tuple[str, ...], exclusions: tuple[str, ...] = ()) -> Rule:
    """The rule for a site's phrases and exclusions, in their order. Those without anything visible
    are left out.

    The same ones give the same rule again, so callers need not keep it.
    """
    forms = {phrase: found for phrase in phrases if (found := forms_of(phrase))}
    excluding = {exclusion: found for exclusion in exclusions if (found := forms_of(exclusion))}
    anchors = tuple(dict.fromkeys(anchor_of(form) for found in forms.values() for form in found))
    return Rule(
        phrases=tuple(forms),
        exclusions=tuple(excluding),
        _patterns=_compiled(forms.values()),
        _excluding=_compiled(excluding.values()),
        _anchors=anchors,
        # (?!) never matches: a rule without phrases finds nothing.
        _masked_anchors=re.compile("|".join(map(masked, anchors)) or "(?!)"),
    )


def _compiled(forms: Iterable[list[str]]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile("|".join(map(pattern_of, found))) for found in forms)


def confirmed_by(
    lines: Iterable[Line],
    rule: Rule | ChangedRule,
    after: tuple[int, datetime] | None = None,
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
        elif phrase := rule.at(line.id).find(line.text):
            return Confirmation(message_id=line.id, phrase=phrase)
    return None


def _counts(line: Line, after: tuple[int, datetime] | None) -> bool:
    return after is None or (line.id > after[0] and line.at >= after[1])
