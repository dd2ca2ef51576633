"""What other phrases and exclusions would have meant for a site's past sessions.

A back-test reads a site's whole history in the order of the session ids, a piece at a time, each
piece a transaction of its own. Its row remembers how far it came, so another worker can go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.completion.backtest_history import PastSession, read_piece
from app.completion.detection import Rule, compile_phrases, confirmed_by
from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict
from app.core.queue import defer
from app.models import Backtest, Site

BACKTEST = "backtest"
#: Sessions in a piece.
PIECE = 500
#: So many findings of a kind are kept to be shown; all are counted.
MOST_KEPT = 10_000
#: A sentence that is kept is cut to this many characters.
LONGEST_SENTENCE = 500
#: A run that was not heard of for so long has lost its worker.
SILENT_AFTER_SECONDS = 20

#: A test that is not saved is kept so long.
KEPT_FOR = timedelta(days=7)

_ADVANCE = text("""
    UPDATE backtests
       SET position = position || jsonb_build_object('after', CAST(:after AS text)),
           heartbeat_at = :now, progress = greatest(progress, :progress),
           sessions_read = sessions_read + :read, newly_count = newly_count + :newly,
           no_longer_count = no_longer_count + :no_longer
     WHERE id = :id AND status = 'running' AND position ->> 'runner' = :runner
    RETURNING newly_count - :newly AS newly_before, no_longer_count - :no_longer AS no_longer_before
""")

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
) -> Backtest:
    """Have a worker test these on the site's past sessions. Tests of last week not saved go."""
    site = session.get_one(Site, site_id)
    now = clock.now()
    session.execute(
        delete(Backtest).where(
            Backtest.site_id == site_id,
            Backtest.saved_at.is_(None),
            Backtest.started_at < now - KEPT_FOR,
        )
    )
    backtest = Backtest(
        id=uuid.uuid4(),
        site_id=site_id,
        user_id=user_id,
        phrases=phrases,
        exclusions=exclusions,
        started_at=now,
        heartbeat_at=now,
        position={"tested_against": rules_of(site)},
    )
    session.add(backtest)
    session.flush()
    defer(session, BACKTEST, backtest_id=str(backtest.id))
    return backtest


def rules_of(site: Site) -> dict[str, list[str]]:
    return {"phrases": list(site.phrases), "exclusions": list(site.exclusions)}


def run(backtest_id: uuid.UUID, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Test from where it stands to the end. Whoever comes last goes on; the one before, if it
    still lives, finds that out before it writes. Asked to stop, it leaves a job for the rest.
    """
    runner = str(uuid.uuid4())
    with transaction() as session:
        backtest = claim(session, backtest_id, runner)
        if backtest is None or backtest.saved_at is not None:
            return
        site_id, after = backtest.site_id, backtest.position.get("after")
        rule = compile_phrases(tuple(backtest.phrases), tuple(backtest.exclusions))
    while not is_stopping():
        with transaction() as session:
            piece = read_piece(session, site_id, after, PIECE)
            if not piece:
                finish(session, backtest_id, runner)
                return
            after = str(piece[-1].id)
            findings = [found for chat in piece if (found := judge_past(chat, rule))]
            if not _record(session, backtest_id, runner, after, len(piece), findings):
                return
    with transaction() as session:
        defer(session, BACKTEST, backtest_id=str(backtest_id))


def claim(session: Session, backtest_id: uuid.UUID, runner: str) -> Backtest | None:
    """Take a running test over; None when there is nothing left to do, or it is gone."""
    backtest = session.get(Backtest, backtest_id, with_for_update=True, populate_existing=True)
    if backtest is None or backtest.status != "running":
        return None
    backtest.position = {**backtest.position, "runner": runner}
    backtest.heartbeat_at = clock.now()
    return backtest


def finish(session: Session, backtest_id: uuid.UUID, runner: str) -> Backtest | None:
    """Mark it done; None when somebody else has taken it over."""
    backtest = session.get(Backtest, backtest_id, with_for_update=True, populate_existing=True)
    if backtest is None or backtest.position.get("runner") != runner:
        return None
    backtest.status, backtest.progress = "done", 1.0
    backtest.finished_at = backtest.heartbeat_at = clock.now()
    return backtest


def fail(session: Session, backtest_id: uuid.UUID) -> None:
    """It broke: say so, and let a person decide whether it goes on."""
    backtest = session.get(Backtest, backtest_id, with_for_update=True, populate_existing=True)
    if backtest is not None and backtest.status == "running":
        backtest.status, backtest.finished_at = "failed", clock.now()
        backtest.error = "Something went wrong on our side."


def go_on(session: Session, backtest: Backtest, task: str) -> None:
    """Have a failed or silent one go on from where it stands. Raises Conflict."""
    if backtest.status == "done" or (backtest.status == "running" and not is_silent(backtest)):
        raise Conflict("Nothing to do: it is running, or done already.")
    backtest.status, backtest.error, backtest.finished_at = "running", None, None
    backtest.heartbeat_at = clock.now()
    defer(session, task, backtest_id=str(backtest.id))


def is_silent(backtest: Backtest) -> bool:
    silence = clock.now() - backtest.heartbeat_at
    return backtest.status == "running" and silence.total_seconds() > SILENT_AFTER_SECONDS


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


def _record(
    session: Session,
    backtest_id: uuid.UUID,
    runner: str,
    after: str,
    read: int,
    findings: list[Finding],
) -> bool:
    """Keep what a piece gave; False when somebody else has taken the test over."""
    newly = [each for each in findings if each.kind == "newly"]
    no_longer = [each for each in findings if each.kind == "no_longer"]
    before = session.execute(
        _ADVANCE,
        {
            "id": backtest_id,
            "runner": runner,
            "after": after,
            "now": clock.now(),
            "progress": share_before(after),
            "read": read,
            "newly": len(newly),
            "no_longer": len(no_longer),
        },
    ).one_or_none()
    if before is None:
        return False
    kept = newly[: max(0, MOST_KEPT - before.newly_before)]
    kept += no_longer[: max(0, MOST_KEPT - before.no_longer_before)]
    rows: list[dict[str, Any]] = [
        {
            "backtest_id": backtest_id,
            "kind": each.kind,
            "session_id": each.session_id,
            "message_id": each.message_id,
            "phrase": each.phrase,
            "sentence": each.sentence,
        }
        for each in kept
    ]
    if rows:
        session.execute(_KEEP, rows)
    return True


def share_before(after: str) -> float:
    """Session ids are random, so an id's place among all says how much lies before it."""
    return min(0.99, uuid.UUID(after).int / 2**128)
