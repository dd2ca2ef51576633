"""Call the functions of the product that build patterns from data, with data of every form.

Imported only while `re` is watched (see `discovery`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from app.assistants import scripted_words
from app.assistants.scripted_corrections import take_change_request
from app.completion.detection import compile_phrases
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Answer, Draft, Line
from app.reporting import search
from app.web.dashboard.deliveries.payload import Payload

PHRASES = (
    "within 24 hours",
    "Within the next 2 business days!",
    "within twenty one minutes, or within 1 week",
    "innerhalb von 24 Stunden",
    "we call you back",
    "a a a a a a a a b",
    "24時間以内",
    "свяжемся",
    "…",
)
QUERIES = ("a", "a b c", '"a a a a b" c', "020 7946 0958", "ann@example.com a-b-c", "中 a")


def call() -> None:
    compile_phrases(PHRASES, PHRASES)
    compile_phrases(())
    for query in QUERIES:
        search.marks("a b", query)
        search.lead_marks("a b", query)
    fields = (Field("phone", "Your number?", "phone"), Field("rooms", "How many rooms?"))
    site = SiteProfile("site", "Site", fields=fields, phrases=PHRASES)
    scripted_words.says_phrase(site, "nothing")
    line = Line(1, "visitor", "the number is wrong", datetime(2026, 1, 1, tzinfo=UTC))
    answers = {"phone": Answer("+442079460958"), "how-many_rooms": Answer("2")}
    turn = SimpleNamespace(draft=Draft(answers=answers), site=site)
    take_change_request(turn, line, "a wrong line")  # type: ignore[arg-type]
    Payload([], "", personal=("Ann Lee", "+44 (20) 7946", 'O"Neil <a>')).masked("Ann")
