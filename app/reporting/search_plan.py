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
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
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
LeadEntity = type[Lead]
SessionIds = Select[Any] | CompoundSelect[Any]
_IN_MESSAGES = """
    (SELECT 1 FROM messages WHERE message_words(text) @@ to_tsquery('simple', {value}) LIMIT 1)
"""
_IN_LEADS = """
    (SELECT 1 FROM leads
      WHERE text_pieces(lead_words(name, email, phone, company)) @> ARRAY[{value}] LIMIT 1)
"""


def common(session: Session, terms: tuple[Term, ...], *, in_messages: bool = True) -> list[Term]:
    """Those that would lead to too many sessions, the rarest first. One query, if any. Without
    `in_messages`, only leads are searched.
    """
    asked = [
        (term, *part)
        for term in terms
        for part in _parts(term)
        if in_messages or part[0] is _IN_LEADS
    ]
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
    told = select(Lead.session_id).where(*_told_by_index(term))
    if not term.pieces:
        return told
    said = select(Message.session_id).where(_MESSAGE_WORDS.bool_op("@@")(query(term)))
    return said.union_all(told)


def leads_with(term: Term) -> SessionIds:
    """The ids of the leads that hold it, by the index."""
    return select(Lead.id).where(*_told_by_index(term))


def few(session: Session, ids: SessionIds, most: int) -> ColumnElement[Any] | None:
    """The ids as one value: a thousand take longer to read than to find. None: more than `most`."""
    some = ids.limit(most + 1).subquery()
    (found_id,) = some.c
    listed = func.coalesce(func.string_agg(cast(found_id, Text), ","), "")
    found = session.scalar(select(case((func.count() <= most, listed))).select_from(some))
    return None if found is None else cast(literal(f"{{{found}}}", Text), ARRAY(Uuid))


def is_in(
    term: Term, session_id: ColumnElement[uuid.UUID] | InstrumentedAttribute[uuid.UUID]
) -> ColumnElement[bool]:
    """Whether this session holds it. Scalar, so that no plan asks more sessions than it needs."""
    told = select(literal(True)).where(Lead.session_id == session_id, is_told(term))
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


def lead_words(lead: LeadEntity = Lead) -> Any:
    """What is searched of a lead; of `Lead` itself, as its index has it."""
    return func.lead_words(lead.name, lead.email, lead.phone, lead.company)


def is_told(term: Term, lead: LeadEntity = Lead) -> ColumnElement[bool]:
    """Whether a lead holds it."""
    escaped = map(_escaped, _needles(term))
    words = lead_words(lead)
    return or_(*(words.like("%" + func.lower(needle) + "%") for needle in escaped))


def _told_by_index(term: Term) -> tuple[ColumnElement[bool], ...]:
    """The index is of all two and three characters that stand side by side."""
    pieces = func.text_pieces(lead_words())
    by_index = (
        pieces.bool_op("@>")(func.text_pieces(func.lower(needle))) for needle in _needles(term)
    )
    return or_(*by_index), is_told(term)


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
