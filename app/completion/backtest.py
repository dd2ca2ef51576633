"""What other phrases and exclusions would have meant for a site's past sessions.

A back-test is a run that reads a site's whole history in the order of the session ids, a piece at a
time, each piece a transaction of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.completion.backtest_history import PastSession, read_piece
from app.completion.detection import Rule, compile_phrases, confirmed_by
from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict
from app.models import Run, Site
from app.models.backtest_finding import FINDING_KINDS
from app.models.run import BACKTEST
from app.runs import engine
from app.runs.engine import ClaimedRun

#: Sessions in a piece.
PIECE = 500
#: So many findings of a kind are kept to be shown; all are counted.
MOST_KEPT = 10_000
#: A sentence that is kept is cut to this many characters.
LONGEST_SENTENCE = 500
#: A test that is not saved is kept so long.
KEPT_FOR = timedelta(days=7)

# A session that was deleted meanwhile is no finding.
_KEEP = text("""
    INSERT INTO backtest_findings (backtest_id, kind, session_id, message_id, phrase, sentence)
    SELECT :backtest_id, :kind, id, :message_id, :phrase, :sentence
      FROM chat_sessions WHERE id = :session_id FOR KEY SHARE
""")


@dataclass(frozen=True, slots=True)
class Finding:
    """A session that would newly complete, or would not have."""

    kind: str
    session_id: uuid.UUID
    message_id: int
    phrase: str
    sentence: str


def start(
    session: Session,
    site_id: uuid.UUID,
    phrases: list[str],
    exclusions: list[str],
    user_id: uuid.UUID | None,
) -> Run:
    """Have a worker test these on the site's past sessions. Tests of last week not saved go."""
    site = session.get_one(Site, site_id)
    session.execute(
        delete(Run).where(
            Run.kind == BACKTEST, Run.site_id == site_id, Run.started_at < clock.now() - KEPT_FOR
        )
    )
    backtest = engine.create(
        session,
        BACKTEST,
        user_id=user_id,
        site_id=site_id,
        parameters={
            "phrases": phrases,
            "exclusions": exclusions,
            "tested_against": rules_of(site),
        },
        report={"sessions_read": 0, "newly_count": 0, "no_longer_count": 0},
    )
    engine.enqueue(session, backtest)
    return backtest


def rules_of(site: Site) -> dict[str, list[str]]:
    return {"phrases": list(site.phrases), "exclusions": list(site.exclusions)}


def tested_rule(backtest: Run) -> Rule:
    values = backtest.parameters
    return compile_phrases(tuple(values["phrases"]), tuple(values["exclusions"]))


def run(backtest_id: uuid.UUID, should_stop: Callable[[], bool] = lambda: False) -> None:
    """The job: test from where it stands to the end."""
    engine.work(BACKTEST, backtest_id, _read_piece, should_stop, is_job=True, takes_over=True)


def go_on(session: Session, backtest: Run) -> None:
    """Have a failed or silent one go on from where it stands. Raises Conflict."""
    session.refresh(backtest, with_for_update=True)
    if backtest.status == "done" or (backtest.status == "running" and engine.is_alive(backtest)):
        raise Conflict("Nothing to do: it is running, or done already.")
    engine.resume(backtest)
    engine.enqueue(session, backtest)


def judge_past(chat: PastSession, rule: Rule) -> Finding | None:
    """What this rule changes for this session: nothing, or a finding.

    A session that a person completed is complete by that person's word, whatever the rule.
    """
    found = confirmed_by(chat.lines, rule, chat.discounted)
    texts = {line.id: line.text for line in chat.lines if line.role == "assistant"}
    if not chat.is_completed:
        if found is None:
            return None
        sentence = telling_sentence(texts[found.message_id], rule)
        return Finding("newly", chat.id, found.message_id, found.phrase, sentence)
    if found is not None or chat.cause == "user":
        return None
    phrase, message_id = chat.phrase or "", chat.message_id or 0
    sentence = telling_sentence(texts.get(message_id, ""), compile_phrases((phrase,)))
    return Finding("no_longer", chat.id, message_id, phrase, sentence)


def telling_sentence(words: str, rule: Rule) -> str:
    """The sentence in which the first phrase of `rule` counts; failing that, how `words` begin."""
    place = next((each for each in rule.places(words) if not each.exclusion), None)
    sentence = words[slice(*place.sentence)] if place else words
    if place and len(sentence) > LONGEST_SENTENCE:
        start = max(place.sentence[0], place.span[0] - LONGEST_SENTENCE // 2)
        sentence = words[start:]
    return sentence.strip()[:LONGEST_SENTENCE]


def _read_piece(claimed: ClaimedRun) -> bool:
    """Judge the next sessions and keep what that gave. False: there were none."""
    with transaction() as session:
        backtest = claimed.lock(session)
        assert backtest.site_id is not None
        piece = read_piece(session, backtest.site_id, backtest.position.get("after"), PIECE)
        if not piece:
            engine.finish(backtest)
            return False
        rule = tested_rule(backtest)
        findings = [found for chat in piece if (found := judge_past(chat, rule))]
        report = {**backtest.report, "sessions_read": backtest.report["sessions_read"] + len(piece)}
        rows: list[dict[str, Any]] = []
        for kind in FINDING_KINDS:
            of_kind = [each for each in findings if each.kind == kind]
            before = report[f"{kind}_count"]
            report[f"{kind}_count"] = before + len(of_kind)
            kept = of_kind[: max(0, MOST_KEPT - before)]
            rows += ({"backtest_id": claimed.id, **asdict(each)} for each in kept)
        if rows:
            session.execute(_KEEP, rows)
        backtest.report = report
        advance(backtest, piece[-1].id)
    return True


def advance(backtest: Run, after: uuid.UUID) -> None:
    """Session ids are random, so an id's place among all says how much lies before it."""
    backtest.position = {"after": str(after)}
    backtest.progress = min(0.99, after.int / 2**128)
