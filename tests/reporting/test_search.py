"""What a search finds, what it marks, and which way it is looked up."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import db, transaction
from app.reporting import search, search_plan, session_filter, sessions
from app.reporting.search import lead_marks, marks, terms
from app.reporting.session_filter import choose
from app.reporting.sessions import SessionFilter
from tests.factories import make_chat, make_lead, make_message
from tests.reporting.queries import counted


def found(session: Session, words: str) -> int:
    """How many sessions; the list, the count and the live update agree on it."""
    wanted = SessionFilter(words=words)
    ids = [row.session.id for row in sessions.list_page(session, wanted).items]
    everything = sessions.list_page(session, SessionFilter()).items
    passing = sessions.by_ids(session, [row.session.id for row in everything], wanted)
    assert [row.session.id for row in passing] == ids
    assert sessions.counted(session, wanted) == len(ids)
    return len(ids)


@pytest.fixture
def kitchen(session: Session) -> Session:
    """A session of two messages and a lead beside others that are alike."""
    chat = make_chat(session)
    make_message(session, chat, text="We want a bath/shower, about 12.5 m² at O'Neill's.")
    make_message(session, chat, text="Call me within 24 hours: Žofie, КУХНЯ", role="assistant")
    make_lead(
        session,
        chat,
        name="Ann Lee",
        email="ann.lee@example.com",
        phone="+442079460958",
        company="Harbour 100% Oak_x",
    )
    make_message(session, make_chat(session), text="24 planners wait for hours within")
    make_chat(session)
    return session


RULES = {
    "shower": 1,
    "SHOWER": 1,
    "кухня": 1,
    "žofie": 1,
    "zofie": 0,
    "show": 1,
    "show want": 0,
    "want show": 1,
    "hower": 0,
    "want hours Harbour": 1,
    "want planners": 0,
    "within hours": 2,
    '"within 24 hours"': 1,
    '"24 hours"': 1,
    '"24 hour"': 0,
    "bath/shower": 1,
    "o'neill": 1,
    "12.5": 1,
    "@exa": 1,
    "nn L": 1,
    "7946": 1,
    "020 7946 0958": 1,
    "+44 (0)20 7946-0958": 1,
    "020 7946 0959": 0,
    "100%": 1,
    "oak_": 1,
    "%": 1,
    "_": 1,
    "\\": 0,
    "e": 1,
    "q": 0,
    '"': 3,
    "   ": 3,
    "\x00": 3,
    "a & b | !c <-> (d:*": 0,
    "'; DROP TABLE messages; --": 0,
    ":*": 0,
    "\ud800 xa": 1,
    "a " * 5000: 1,
    "a" * 10_000: 0,
}


@pytest.mark.parametrize("common", [False, True], ids=["rare", "common"])
def test_what_is_found_is_the_same_on_both_ways(
    kitchen: Session, monkeypatch: pytest.MonkeyPatch, common: bool
) -> None:
    monkeypatch.setattr(session_filter, "MOST_LED", 0 if common else 1_000)
    assert {words: found(kitchen, words) for words in RULES} == RULES


def test_a_row_shows_the_message_that_says_most_of_it(kitchen: Session) -> None:
    chat = make_chat(kitchen)
    long = "a word " * 200 + "then the SAUNA with a window " + "and more words " * 200
    make_message(kitchen, chat, text=long)
    make_message(kitchen, chat, text="A window, please.")
    (row,) = sessions.list_page(kitchen, SessionFilter(words="window sauna")).items
    assert row.hit is not None
    assert row.hit.text.startswith("… ")
    assert row.hit.text.endswith(" …")
    assert len(row.hit.text) <= 310
    hits = [part for part, is_hit in marks(row.hit.text, "window sauna") if is_hit]
    assert hits == ["SAUNA", "window"]
    (row,) = sessions.list_page(kitchen, SessionFilter(words="harbour")).items
    assert row.hit is None


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Planner Ann and Annie", "ann", "Planner [Ann] and [Ann]ie"),
        ("Planner Ann and Annie", "ann and", "Planner [Ann] [and] Annie"),
        ("within 24-hours", '"24 hours" within', "[within] [24-hours]"),
        ("<b>a.b</b>", "B", "<[b]>a.[b]</[b]>"),
        ("(a+)+$ costs", "(a+)+$", "([a]+)+$ costs"),
        ("nothing", "", "nothing"),
        ("", "x", ""),
    ],
)
def test_the_hits_of_a_message_are_marked(text: str, words: str, expected: str) -> None:
    shown = "".join(f"[{part}]" if is_hit else part for part, is_hit in marks(text, words))
    assert shown == expected


def test_the_hits_of_a_lead_are_parts_of_words_too() -> None:
    assert lead_marks("Ann Lee", "nn L")[1] == ("nn", True)
    assert ("20 7946", True) in lead_marks("+44 20 7946 0958", "020 7946")
    assert ("207946", True) in lead_marks("+442079460958", "020 7946")
    assert lead_marks("Ann", None) == [("Ann", False)]


def test_what_was_typed_is_bounded() -> None:
    assert len(terms("word " * 5000)) <= search.MOST_TERMS
    assert sum(len(term.text) for term in terms("a" * 10_000)) <= search.MOST_CHARACTERS


def test_rare_words_lead_by_index_and_common_ones_are_asked_for(database: Flask) -> None:
    """Beside many other messages, a rare word's plan has the index, a common one's walks."""
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text="the sauna")
        session.execute(
            text(
                "INSERT INTO messages (session_id, role, text, created_at) SELECT :id, 'visitor',"
                " 'the window number ' || n, now() FROM generate_series(1, 12000) n"
            ),
            {"id": chat.id},
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE messages")
    with transaction() as session:
        assert [term.text for term in search_plan.common(session, terms("window sauna"))] == [
            "window"
        ]
        chosen = choose(session, SessionFilter(words="window sauna"))
        with counted() as seen:
            page = sessions.list_page(session, SessionFilter(words="window sauna"))
    assert len(page.items) == 1
    assert len(chosen.questions) == 1
    (walk,) = chosen.walks
    assert "= ANY (" in str(walk)
    # How common the words are, where the rare one is, the page, and whether it stopped looking.
    assert len(seen) <= 4
