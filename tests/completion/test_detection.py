"""Which sentences are a booking confirmation, and where the phrase stands in them."""

from __future__ import annotations

import sys
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from app.completion.detection import Confirmation, Rule, compile_phrases, confirmed_by
from app.completion.plain_text import plain, plain_ascii
from app.models.transcript import Line, Role

PHRASE = "within 24 hours"
GERMAN = "wir melden uns innerhalb von 24 Stunden"
RULE = compile_phrases((PHRASE,))
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

CONFIRMS = [
    "Thank you, Ann! We will call you within 24 hours.",
    "WITHIN 24 HOURS you will hear from us",
    "Within 24 hour",
    "within the next 24 hours",
    "within the coming 24 hours",
    "within about 24 hours",
    "within a maximum of 24 hours",
    "Expect a call within a 24-hour window",
    "within a 24 hour period",
    "within our 24-hour window",
    "within 24 hrs",
    "within 24 hrs.",
    "within 24 hr",
    "within 24 h",
    "within 24h",
    "within 24h, promised",
    "within 24-hours",
    "within 24\u2011hours, non-breaking hyphen",
    "within 24\u2013hours, en dash",
    "within 24\u2212hours, minus",
    "within twenty-four hours",
    "within twenty four hours",
    "within the next Twenty\u2011Four hours",
    "within twenty-four (24) hours",
    "within 24 (twenty-four) hours",
    "within\n24 hours",
    "within 24\r\nhours",
    "within\u00a024\u202fhours",
    "within\u200924\u3000hours, thin and ideographic space",
    "within \t 24  \u2028 hours",
    "wi\u00adthin 24 hours, soft hyphen",
    "within\u200b 24\u200d hou\u200crs",
    "\ufeffwithin \u206024\u2060 hours",
    "within \u200e24\u200f hours, bidi marks",
    "within \u206624\u2069 hours, isolates",
    "we call within (https://example.com) 24 hours",
    "within 24 (https://example.com/a?b=c) hours",
    "**within 24 hours**",
    "within **24** hours",
    "w**ith**in 24 hours",
    "within __24 hours__",
    "_within_ `24` ~~hours~~",
    "# Booked\n> within\n> 24 hours",
    "we call [within 24 hours](https://example.com/terms)",
    'we call [within](https://example.com "terms") 24 hours',
    "within <b>24</b> hours",
    "<p>with<i>in</i> 24 hours</p>",
    "within<br>24 hours",
    "within&nbsp;24&nbsp;hours",
    "within&#160;24&#xA0;hours",
    "w&#105;thin 24 hours",
    "w\u0456thin 24 hours, Cyrillic i",
    "\u0430t once: within 24 h\u043eurs",
    "W\u0399TH\u0399N 24 \u0397OURS, Greek capitals",
    "ｗｉｔｈｉｎ ２４ ｈｏｕｒｓ",
    "𝘄𝗶𝘁𝗵𝗶𝗻 𝟮𝟰 𝗵𝗼𝘂𝗿𝘀",
    "within ٢٤ hours, Arabic digits",
    "within २४ hours, Devanagari digits",
    "within 2\ufe0f\u20e34\ufe0f\u20e3 hours, key caps",
    "Done ✅ within 24 hours 🎉",
    "“within 24 hours”",
    "(within 24 hours)",
    "within 24 hours' time",
    "within 024 hours",
]

DOES_NOT = [
    "",
    " \n\u200b",
    "We are open 24h",
    "open 24 hours",
    "We answer 24/7",
    "We will call you in 24 hours",
    "24 hours within reach",
    "within 240 hours",
    "within 124 hours",
    "within 2 4 hours",
    "within 24.5 hours",
    "within 24,000 hours",
    "within 12-24 hours",
    "within 24 to 48 hours",
    "within 24 hourses",
    "within 24 hoursé",
    "within 24 hourse\u0301",
    "within 24 houses",
    "within 24 high streets",
    "within 24 days",
    "within 24 minutes",
    "within 48 hours",
    "within four hours",
    "within a day",
    "within one business day",
    "within the last 24 hours",
    "within the first 24 hours of your stay",
    "within 24 business hours",
    "within 24 working hours",
    "within 24. Hours are listed below",
    "herewithin 24 hours",
    "without 24 hours",
    "with 24 hours",
    "with in 24 hours",
    "within hours, all 24 of them",
    "Everything is within reach. 24 hours of parking",
    "в течение 24 часов",
    "see <a title='within 24 hours'>here</a>",
    "see [here](https://example.com/within-24-hours)",
]

# The site's phrases, what was said, and the phrase that is to be found.
OTHER_PHRASES: list[tuple[tuple[str, ...], str, str | None]] = [
    ((GERMAN,), "Danke! Wir melden uns\ninnerhalb von 24 Stunden.", GERMAN),
    ((GERMAN,), "WIR MELDEN UNS INNERHALB VON **24** STUNDEN", GERMAN),
    ((GERMAN,), "Wir melden uns innerhalb von 240 Stunden", None),
    ((GERMAN,), "Rund um die Uhr geöffnet, 24 Stunden", None),
    ((PHRASE, GERMAN), "Wir melden uns innerhalb von 24 Stunden.", GERMAN),
    ((PHRASE, GERMAN), "We will call within 24h.", PHRASE),
    (("Grüße", "zurückrufen"), "Wir werden Sie zuru\u0308ckrufen", "zurückrufen"),
    (("zurückrufen",), "Wir werden Sie zur&uuml;ckrufen", "zurückrufen"),
    (("schließlich",), "SCHLIESSLICH gebucht", "schließlich"),
    (("within 2 days",), "within two days", "within 2 days"),
    (("within 2 days",), "within a 2-day window", "within 2 days"),
    (("within 2 days",), "within twenty-two days", None),
    (("within 2 days",), "within 2 business days", None),
    (("within 2 business days",), "within the next two working days", "within 2 business days"),
    (("within 2 business days",), "within 2 days", None),
    (("within one hour",), "within an hour", "within one hour"),
    (("Within a day!",), "within 1 day", "Within a day!"),
    (("within 30 minutes",), "within thirty mins", "within 30 minutes"),
    (("within 30 minutes",), "within 30 metres", None),
    (("within twenty-four hours",), "within 24h", "within twenty-four hours"),
    (("within the next 24 hours",), "within 24 hours", "within the next 24 hours"),
    (
        ("we call you within 24 hours",),
        "We call you within the next 24h",
        "we call you within 24 hours",
    ),
    (("we call you within 24 hours",), "They call you within 24h", None),
    (("w\u0456thin 24 hours",), "within 24 hours", "w\u0456thin 24 hours"),
    (("You're booked.",), "Great, you’re booked!", "You're booked."),
    (("booked (yes)",), "You are booked (yes)", "booked (yes)"),
    (("b.oked",), "booked", None),
    (("a+",), "aaa", None),
    (("[x]+ done$",), "x+ done$", "[x]+ done$"),
    (("call-back booked",), "Call back booked", "call-back booked"),
    (("call back",), "We will call backwards", None),
    (("cafe",), "Café", None),
    (("24小时内",), "我们将在24小时内与您联系。", "24小时内"),
    (("24小时内",), "我们将在124小时内与您联系。", None),
    (("24시간 이내",), "24시간 이내에 연락드리겠습니다", "24시간 이내"),
    (("خلال 24 ساعة",), "سنتصل بك خلال ٢٤ ساعة", "خلال 24 ساعة"),
    (("в течение 24 часов",), "Мы позвоним В ТЕЧЕНИЕ 24 ЧАСОВ", "в течение 24 часов"),
    (("η κράτηση",), "Η κράτηση έγινε", "η κράτηση"),
    (("✅",), "Booked✅", "✅"),
    (("", " \u200b", "**"), "anything within 24 hours", None),
    (("", PHRASE), "within 24 hours", PHRASE),
    ((), "within 24 hours", None),
]


def said(*lines: tuple[Role, str]) -> list[Line]:
    return [Line(id=n, role=role, text=text, at=NOON) for n, (role, text) in enumerate(lines, 1)]


@pytest.mark.parametrize("text", CONFIRMS)
def test_a_booking_promise_is_recognised(text: str) -> None:
    assert RULE.find(text) == PHRASE


@pytest.mark.parametrize("text", DOES_NOT)
def test_what_promises_nothing_is_left_alone(text: str) -> None:
    assert RULE.find(text) is None
    assert RULE.locate(text) is None


@pytest.mark.parametrize(("phrases", "text", "expected"), OTHER_PHRASES)
def test_a_sites_own_phrases(phrases: tuple[str, ...], text: str, expected: str | None) -> None:
    rule = compile_phrases(phrases)
    assert rule.find(text) == expected
    assert (rule.locate(text) is not None) == (expected is not None)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("We call within 24 hours.", "within 24 hours"),
        ("🎉🎉 We call **within the\nnext 24h**!", "within the\nnext 24h"),
        ("ﬁne: within&nbsp;<b>24</b> hours", "within&nbsp;<b>24</b> hours"),
        ("\u200bwi\u00adthin 24\u00a0hours\u200b", "wi\u00adthin 24\u00a0hours"),
        ("w\u0456thin  twenty-four   hrs, Ann", "w\u0456thin  twenty-four   hrs"),
        ("e\u0301te\u0301 – within 24 hours", "within 24 hours"),
    ],
)
def test_the_match_is_located_in_the_original_text(text: str, marked: str) -> None:
    span = RULE.locate(text)
    assert span is not None
    assert text[slice(*span)] == marked


@pytest.mark.parametrize("text", CONFIRMS + DOES_NOT)
def test_every_sentence_that_is_found_is_also_located(text: str) -> None:
    assert (RULE.locate(text) is None) == (RULE.find(text) is None)


@pytest.mark.parametrize("text", CONFIRMS + DOES_NOT)
def test_the_short_way_to_plain_text_agrees_with_the_long_one(text: str) -> None:
    assert plain_ascii(text) in (None, plain(text).text)


def test_every_format_character_is_removed() -> None:
    formats = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c) == "Cf"]
    assert [hex(ord(c)) for c in formats if plain(f"with{c}in").text != "within"] == []


def test_every_kind_of_white_space_and_dash_is_one_space() -> None:
    gaps = [
        c for c in map(chr, range(sys.maxunicode)) if c.isspace() or unicodedata.category(c) == "Pd"
    ]
    assert [hex(ord(c)) for c in gaps if plain(f"24 {c}\n{c}hours").text != "24 hours"] == []


def test_the_same_phrases_give_the_same_rule() -> None:
    assert compile_phrases((PHRASE,)) is RULE
    assert compile_phrases((" ", PHRASE)).phrases == (PHRASE,)


def test_a_greeting_does_not_confirm() -> None:
    assert confirmed_by(said(("assistant", "Hi! We answer within 24 hours.")), RULE) is None
    after = said(("assistant", "We answer within 24 hours."), ("visitor", "Hello"))
    assert confirmed_by(after, RULE) is None


def test_the_first_promise_after_a_visitors_message_confirms() -> None:
    lines = said(
        ("assistant", "Hi! We answer within 24 hours."),
        ("visitor", "Ann, ann@example.com"),
        ("assistant", "Thanks, what do you need?"),
        ("visitor", "A kitchen, within 24 hours"),
        ("assistant", "Booked: we call within the next 24h."),
        ("assistant", "As I said, within 24 hours."),
    )
    assert confirmed_by(lines, RULE) == Confirmation(message_id=5, phrase=PHRASE)


@pytest.mark.parametrize("role", ["visitor", "agent", "system"])
def test_only_the_assistant_confirms(role: Role) -> None:
    assert confirmed_by(said(("visitor", "Hi"), (role, "within 24 hours")), RULE) is None


def test_a_conversation_without_lines_is_not_confirmed() -> None:
    assert confirmed_by([], RULE) is None


@pytest.mark.parametrize(
    "part", ["<a", "](", "&amp", "within ", "**", "a\u0301", "\u0456", "24 - "]
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(part: str) -> None:
    assert RULE.find(part * 50_000) is None


def test_exclusions_are_looked_for_once_in_a_sentence_full_of_phrases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = compile_phrases(("within 24 hours", "call"), ("not",))
    look, looks = Rule._excluded, []

    def counted(self: Rule, *given: Any) -> Any:
        looks.append(given)
        return look(self, *given)

    monkeypatch.setattr(Rule, "_excluded", counted)
    text = "call within 24 hours " * 200 + "not. We do not call."
    assert rule.find(text) is None
    assert len(looks) == 2
