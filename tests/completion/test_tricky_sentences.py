"""`tricky_sentences.json`: rule, sentence, the phrase that is to be found (or none), and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.completion.detection import compile_phrases

TABLE = json.loads(Path(__file__).with_name("tricky_sentences.json").read_text(encoding="utf-8"))
RULES = {
    name: compile_phrases(tuple(rule["phrases"]), tuple(rule["exclusions"]))
    for name, rule in TABLE["rules"].items()
}


@pytest.mark.parametrize(
    ("rule", "text", "expected", "why"),
    TABLE["cases"],
    ids=[f"{n} {case[3]}" for n, case in enumerate(TABLE["cases"])],
)
def test_a_tricky_sentence(rule: str, text: str, expected: str | None, why: str) -> None:
    assert RULES[rule].find(text) == expected, why
    place = RULES[rule].locate(text)
    assert (place is None) == (expected is None), why
    counting = [each for each in RULES[rule].places(text) if not each.exclusion]
    assert [each.span for each in counting[:1]] == ([place] if place else []), why


def test_the_table_is_large_and_says_why() -> None:
    assert len(TABLE["cases"]) >= 120
    assert all(why for *_, why in TABLE["cases"])


def test_an_exclusion_is_located_with_its_sentence() -> None:
    text = "Hi **Ann**!\nWe will <b>NOT</b> call within 24h. Bye"
    (place,) = compile_phrases(("within 24 hours",), ("not",)).places(text)
    assert place.exclusion_span is not None
    shown = [text[slice(*s)] for s in (place.span, place.sentence, place.exclusion_span)]
    assert shown == ["within 24h", "We will <b>NOT</b> call within 24h.", "NOT"]
    assert place.exclusion == "not"
