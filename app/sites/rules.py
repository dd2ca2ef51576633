"""A site's phrases and exclusions as people type them: one a line."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import ValidationError

from app.completion.detection import Place, compile_phrases
from app.core.errors import Invalid
from app.sites.schema import SiteSchema


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a sentence that was tried. `role`: `phrase`, `exclusion`, or none."""

    text: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a message would complete a session, and the place that decided."""

    completes: bool
    place: Place | None
    pieces: list[Piece]


def lines_of(words: str) -> list[str]:
    """What is typed one a line, without empty lines and repetitions."""
    lines = (line.strip() for line in words.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def read_rules(phrases: str, exclusions: str) -> tuple[list[str], list[str]]:
    """Phrases and exclusions from text, one a line. Raises Invalid by field."""
    values = {"phrases": lines_of(phrases), "exclusions": lines_of(exclusions)}
    try:
        SiteSchema().load(values)
    except ValidationError as error:
        raise Invalid(
            {
                field: _told(values[field], found)
                for field, found in dict(error.messages_dict).items()
            }
        ) from error
    return values["phrases"], values["exclusions"]


def try_message(phrases: str, exclusions: str, message: str) -> Trial:
    """What an assistant's message would do under these phrases and exclusions, one a line."""
    rule = compile_phrases(tuple(lines_of(phrases)), tuple(lines_of(exclusions)))
    places = list(rule.places(message))
    counting = next((place for place in places if not place.exclusion), None)
    place = counting or next(iter(places), None)
    return Trial(counting is not None, place, in_pieces(message, place))


def in_pieces(message: str, place: Place | None) -> list[Piece]:
    """The message in pieces, the phrase and the exclusion that decided being of their own."""
    if place is None:
        return [Piece(message)]
    spans = [(*place.span, "phrase")]
    if place.exclusion_span:
        spans.append((*place.exclusion_span, "exclusion"))
    pieces, end = [], 0
    for start, stop, role in sorted(spans):
        if start >= end:
            pieces += [Piece(message[end:start]), Piece(message[start:stop], role)]
            end = stop
    return [piece for piece in [*pieces, Piece(message[end:])] if piece.text]


def _told(lines: list[str], found: object) -> list[str]:
    """What is wrong, naming the line by its words."""
    if isinstance(found, dict):
        return [
            f"“{lines[index][:40]}{'…' if len(lines[index]) > 40 else ''}”: {sentence}"
            for index, sentences in found.items()
            for sentence in sentences
        ]
    return [str(sentence) for sentence in found] if isinstance(found, list) else [str(found)]
