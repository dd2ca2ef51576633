"""Text from outside stays one value wherever it is shown."""

from __future__ import annotations

import json
import unicodedata

import pytest

from app.core.safe_text import (
    escaped_in_json,
    indented,
    isolated,
    one_line,
    printable,
    without_bidi_scopes,
)
from tests import nasty

#: Of what a terminal acts on or shows nowhere: everything but letters' own joiners.
JOINERS = "\u200c\u200d"


@pytest.mark.parametrize("text", nasty.NAMES)
def test_what_is_printed_moves_nothing_and_hides_nothing(text: str) -> None:
    shown = printable(text)
    assert all(
        unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        for c in shown.replace("\n", "")
    )
    assert len(one_line(text).splitlines()) == 1


@pytest.mark.parametrize("end", nasty.LINE_BREAKS)
def test_every_line_but_the_first_is_indented(end: str) -> None:
    assert indented(f"one{end}two{end}three") == "one\n    two\n    three"


@pytest.mark.parametrize("text", nasty.GENUINE)
def test_genuine_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == indented(text) == one_line(text) == without_bidi_scopes(text) == text
    assert isolated(text).strip("\u2068\u2069") == text


def test_every_character_of_unicode_is_one_line_afterwards() -> None:
    everything = "".join(map(chr, range(0x110000)))
    left = one_line(everything)
    assert len(left.splitlines()) == 1
    assert {c for c in left if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}} == set()
    formatting = {c for c in left if unicodedata.bidirectional(c) in BIDI_CONTROLS}
    assert formatting == set()
    assert all(c in left for c in JOINERS)


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("text", nasty.REORDERING)
def test_what_reorders_its_surroundings_is_taken_out(text: str) -> None:
    assert without_bidi_scopes(f"a{text}b") == "ab"


def test_a_text_that_runs_to_the_left_is_isolated_where_no_element_can_do_it() -> None:
    assert isolated("Ann") == "Ann"
    assert isolated("דוד\u202e") == "\u2068דוד\u2069"


def test_json_shows_what_reorders_text_and_stays_the_same_json() -> None:
    sent = json.dumps({"name": "Ann\u202eLee"}, ensure_ascii=False)
    assert escaped_in_json(sent) == '{"name": "Ann\\u202eLee"}'
    assert json.loads(escaped_in_json(sent)) == json.loads(sent)


def test_marks_that_are_stacked_without_end_are_cut() -> None:
    assert len(printable(nasty.STACKED)) < 10
    assert printable("Việt e\u0301\u0323") == "Việt e\u0301\u0323"
