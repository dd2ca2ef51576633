"""How the words of a search are looked up, so that rare and common ones are both found at once.

A rare word leads by index to the few sessions that hold it. A common one would lead to half of all
sessions; instead they are walked newest first, and each is asked whether it holds the word, until
the page is full. How common a word is, the database's own statistics tell.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import Lead, Message
from app.reporting.search import Term

#: A word in more messages or leads than this is common.
MOST_RARE = 8_000
#: The rarest of so many parts of a word says how rare it is: together the database takes them for
#: much rarer than they are.
MOST_PARTS = 6
_MESSAGE_WORDS = func.message_words(Message.text)
_LEAD_WORDS = func.lead_words(Lead.name, Lead.email, Lead.phone, Lead.company)
SessionIds = Select[Any] | CompoundSelect[Any]
_IN_MESSAGES = """
    (SELECT 1 FROM messages WHERE message_words(text) @@ to_tsquery('simple', {value}) LIMIT 1)
"""
_IN_LEADS = """
    (SELECT 1 FROM leads
      WHERE text_pieces(lead_words(name, email, phone, company)) @> ARRAY[{value}] LIMIT 1)
"""


def common(session: Session, terms: tuple[Term, ...]) -> list[Term]:
    """Those that would lead to too many sessions, the rarest first. One query, if any."""
    asked = [(term, *part) for term in terms for part in _parts(term)]
    if not asked:
        return []
    columns = (table.format(value=f":part_{n}") for n, (_, table, _) in enumerate(asked))
    values = {f"part_{n}": part for n, (_, _, part) in enumerate(asked)}
    told = session.scalar(text(f"EXPLAIN (FORMAT JSON) SELECT {', '.join(columns)}"), values)
    plan = told if isinstance(told, list) else json.loads(str(told))
    fewest: dict[tuple[Term, str], float] = {}
    for (term, table, _), rows in zip(asked, _scanned(plan[0]["Plan"]), strict=True):
        fewest[term, table] = min(rows, fewest.get((term, table), rows))
    rows_of = {term: max(rows for (of, _), rows in fewest.items() if of == term) for term in terms}
    # Of a single character there is no index over leads.
    found = (term for term, rows in rows_of.items() if rows > MOST_RARE or len(term.text) == 1)
    return sorted(found, key=rows_of.__getitem__)


def sessions_with(term: Term) -> SessionIds:
    """The ids of the sessions that hold it, by the indexes."""
    pieces = func.text_pieces(_LEAD_WORDS)
    needles = (func.text_pieces(func.lower(needle)) for needle in _needles(term))
    by_index = [pieces.bool_op("@>")(each) for each in needles]
    told = select(Lead.session_id).where(or_(*by_index), _is_told(term))
    if not term.pieces:
        return told
    said = select(Message.session_id).where(_MESSAGE_WORDS.bool_op("@@")(query(term)))
    return said.union_all(told)


def is_in(
    term: Term, session_id: ColumnElement[uuid.UUID] | InstrumentedAttribute[uuid.UUID]
) -> ColumnElement[bool]:
    """Whether this session holds it. Scalar, so that no plan asks more sessions than it needs."""
    told = select(literal(True)).where(Lead.session_id == session_id, _is_told(term))
    said = select(literal(True)).where(Message.session_id == session_id, says(term)).limit(1)
    found = (told, said) if term.pieces else (told,)
    return or_(*(func.coalesce(each.scalar_subquery(), literal(False)) for each in found))


def says(term: Term) -> ColumnElement[bool]:
    """Whether a message holds it. Parting its words costs much: first, whether the letters are
    there at all.
    """
    if not term.pieces:
        return false()
    # Not the very expression of the index: read for one session, the index is the long way round.
    words = func.message_words(Message.text.concat(""))
    return and_(place(term) > 0, words.bool_op("@@")(query(term)))


def place(term: Term) -> ColumnElement[int]:
    """Where in a message its longest word's letters stand first; 0: nowhere."""
    longest = max(term.pieces, key=len)
    return func.strpos(func.lower(Message.text), func.lower(longest))


def query(term: Term) -> ColumnElement[Any]:
    """It as a `tsquery`. Its pieces have no punctuation, so nothing in them is an operator."""
    words = [f"'{piece}'" for piece in term.pieces]
    return func.to_tsquery("simple", " <-> ".join(words) + (":*" if term.is_prefix else ""))


def _is_told(term: Term) -> ColumnElement[bool]:
    needles = map(_escaped, _needles(term))
    return or_(*(_LEAD_WORDS.like("%" + func.lower(needle) + "%") for needle in needles))


def _needles(term: Term) -> tuple[str, ...]:
    """What a lead may hold: it as it was typed, or as a phone number."""
    return (term.text, term.digits) if term.digits else (term.text,)


def _escaped(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _parts(term: Term) -> Iterator[tuple[str, str]]:
    """Where to look for which of its parts, to tell how common it is."""
    for piece in term.pieces[:MOST_PARTS]:
        is_begun = term.is_prefix and piece is term.pieces[-1]
        yield _IN_MESSAGES, f"'{piece}'" + (":*" if is_begun else "")
    needle = (term.digits or term.text).lower()
    threes = [needle[at : at + 3] for at in range(max(len(needle) - 2, 1))]
    step = -(-len(threes) // MOST_PARTS)
    for three in threes[::step]:
        yield _IN_LEADS, three


def _scanned(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each of the scans is expected to find, in their order."""
    for child in plan.get("Plans", ()):
        node = child
        while "Relation Name" not in node:
            node = node["Plans"][0]
        yield float(node["Plan Rows"])
