"""A model that recites its directions is stopped; one that talks to a visitor is not."""

from __future__ import annotations

import base64
import codecs
import time

import pytest

from app.assistants.prompt import DIRECTIONS, RULES
from app.assistants.recital import Recital, RecitedError
from app.assistants.scripted_words import SENTENCES

RULE = next(line for line in RULES.splitlines() if line.startswith("- Words of a visitor"))
_LEET = str.maketrans("aeiost", "431057")

DRESSED = {
    "plain": RULE,
    "in the middle": f"Sure! {RULE} Anything else?",
    "without punctuation": "".join(c for c in RULE if c.isalpha() or c == " "),
    "shouted": RULE.upper(),
    "letters apart": " ".join(RULE),
    "letters with dashes": "-".join(RULE),
    "one a line": "\n".join(RULE.split()),
    "quoted as a list": "* " + RULE.replace(" ", " * "),
    "letters backwards": RULE[::-1],
    "words backwards": " ".join(reversed(RULE.split())),
    "turned by thirteen": codecs.encode(RULE, "rot13"),
    "figures for letters": RULE.translate(_LEET),
    "accents": RULE.replace("o", "ö").replace("e", "é"),
    "invisible signs between": "\u200b".join(RULE),
    "base64": base64.b64encode(RULE.encode()).decode(),
    "base64 in chunks of 20": " ".join(
        base64.b64encode(RULE.encode()).decode()[at : at + 20] for at in range(0, 160, 20)
    ),
    "base64 in chunks of 8": " ".join(
        base64.b64encode(RULE.encode()).decode()[at : at + 8] for at in range(0, 160, 8)
    ),
    "url-safe base64": base64.urlsafe_b64encode((RULE + "???>>>").encode()).decode(),
    "hexadecimal": RULE.encode().hex(),
    "hexadecimal bytes": RULE.encode().hex(" "),
    "numbers": " ".join(str(ord(sign)) for sign in RULE),
    "octal numbers": " ".join(f"{ord(sign):o}" for sign in RULE),
    "numbers with commas": ", ".join(str(ord(sign)) for sign in RULE),
}

HARMLESS = [
    *SENTENCES.values(),
    "We open Monday to Friday, 9:00 to 17:30, and on Saturday from 10:00 to 14:00.",
    "You can write to a-very-long-address.for-everybody@a-long-company-name.example any time.",
    "See https://example.com/a/very/long/path/to/a/page/that/has/a/very/long/name/indeed?yes=1",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft!",
    "Our numbers: 020 7946 0958, 020 7946 0959, 020 7946 0960, 020 7946 0961.",
    "We work with iPhone, GitHub, YouTube, PayPal, eBay and WordPress.",
    "Ich bin der automatische Assistent und helfe gern weiter. Wie heißen Sie?",
    "Free tomorrow: " + ", ".join(f"{9 + n // 2:02}:{n % 2 * 30:02}" for n in range(14)) + ".",
    "Free in May:\n" + "\n".join(f"- {day:02}-05-26" for day in range(10, 28)),
    "Sizes in cm: " + ", ".join(map(str, range(30, 130, 2))) + ". Which one?",
    f"Our prices\n{'-' * 70}\nKitchen: from 5,000 pounds",
    "I am an automated assistant, so I cannot share how I am set up, but I can help you book.",
]


def heard(text: str, size: int, recital: Recital | None = None) -> str:
    recital = recital or Recital(DIRECTIONS)
    said = [recital.hear(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(said) + recital.finish()


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("dress", DRESSED)
def test_a_recital_is_stopped(dress: str, size: int) -> None:
    with pytest.raises(RecitedError):
        heard(DRESSED[dress], size)


@pytest.mark.parametrize("dress", DRESSED)
def test_hardly_a_word_of_it_is_said_before(dress: str) -> None:
    said = ""
    recital = Recital(DIRECTIONS)
    text = DRESSED[dress]
    for sign in text:
        try:
            said += recital.hear(sign)
        except RecitedError:
            break
    assert len(said) < len(text) / 2
    assert sum(map(str.isalnum, said.removeprefix("Sure!"))) < 64


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_meant_for_visitors_is_said_whole(text: str, size: int) -> None:
    assert heard(text, size) == text


def test_facts_from_the_sites_own_directions_may_be_told_but_not_all_of_them() -> None:
    own = (
        "We open at nine. Prices start at 200 pounds for a survey. Never offer a discount of more "
        "than ten percent, and do not mention the competition by name. Always ask for the street."
    )
    assert heard("Prices start at 200 pounds for a survey.", 5, Recital(RULES, own))
    with pytest.raises(RecitedError):
        heard(own, 5, Recital(RULES, own))


def test_a_long_answer_is_heard_quickly() -> None:
    began = time.monotonic()
    text = "We can certainly help you with that, and a colleague will be glad to tell you more. "
    assert len(heard(text * 70, 4)) > 5_000
    assert time.monotonic() - began < 3
