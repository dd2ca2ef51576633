"""Who answers: the site's assistant, and where it cannot, the scripted one from what is known."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from app.assistants.base import Reply
from app.assistants.registry import SCRIPTED, assistant_for
from app.assistants.run import Finished, run
from app.assistants.scripted import question_of
from app.assistants.scripted_flow import field_named
from app.assistants.scripted_words import say
from app.chat import assistant_state
from app.chat.assistant_state import Permit, day_of
from app.chat.assistant_words import (
    cap_incident,
    failure_incident,
    given_up_incident,
    not_set_up_incident,
)
from app.chat.turn_store import Lease
from app.completion.detection import ChangedRule, Rule
from app.core import clock
from app.core.db import transaction
from app.incidents.record import note
from app.models.site_profile import SiteProfile
from app.models.transcript import Input, Transcript

logger = logging.getLogger(__name__)

#: What is said where every sentence would complete the session: some site's own phrases.
WORDLESS = "…"
_MOST_ROUNDS = 5


def answer(lease: Lease) -> Iterator[str | Reply]:
    """Yield pieces of the answer, then its Reply. There is always one; no transaction is open.

    A Reply need not be what was yielded before it: an answer that broke off is replaced.
    """
    if lease.is_given_up:
        yield _give_up(lease)
        return
    site = lease.site.profile
    if assistant_for(site) is SCRIPTED:
        yield from SCRIPTED.reply(lease.transcript, site)
        return
    permit = _ask_for_permit(lease)
    if permit is None:
        yield from SCRIPTED.reply(lease.transcript, site)
        return
    transcript = replace(
        lease.transcript,
        page_title=permit.page_title,
        attribution=permit.attribution,
        tokens_left=permit.tokens,
    )
    finished: Finished | None = None
    # What is promised already may be said again: a booked visitor asks when we will call.
    without_promises = str if transcript.is_completed else unpromising(lease.site.rule)
    for part in run(assistant_for(site), transcript, site, without_promises):
        if isinstance(part, Finished):
            finished = part
        else:
            yield part
    assert finished is not None, "a run ends with a Finished"
    try:
        _settle(lease, permit, finished)
    except (SQLAlchemyError, psycopg2.Error) as error:
        # What was set aside stays counted; a visitor does not go without an answer for it.
        logger.error("an answer was not counted: %s", type(error).__name__)  # noqa: TRY400
    yield finished.reply or _take_over(lease)


def _give_up(lease: Lease) -> Reply:
    """The answer to what kept killing its answerers: reads none of it and promises nothing."""
    with transaction() as session:
        note(session, given_up_incident(lease.site.profile, lease.site.id, lease))
    logger.error(
        "a turn was given up", extra={"session_id": str(lease.session_id), "breaks": lease.breaks}
    )
    text = unpromising(lease.site.rule)(say(lease.site.profile, "given_up"))
    return Reply(text or WORDLESS, lease.last_input or Input(), lease.transcript.draft)


def unpromising(rule: Rule | ChangedRule) -> _Unpromising:
    return _Unpromising(rule)


class _Unpromising:
    """Takes the sentences out of a text that would complete a session under this rule."""

    def __init__(self, rule: Rule | ChangedRule) -> None:
        self._rule = rule.now if isinstance(rule, ChangedRule) else rule

    def __call__(self, text: str) -> str:
        # What is left may promise something anew where its ends meet, but hardly twice.
        for _ in range(_MOST_ROUNDS):
            if not self._rule.find(text):
                return text
            sentences = {p.sentence for p in self._rule.places(text) if not p.exclusion}
            parts, at = [], 0
            for start, end in sorted(sentences):
                parts.append(text[at:start].strip())
                at = max(at, end)
            text = " ".join(filter(None, (*parts, text[at:].strip())))
        return ""


def _ask_for_permit(lease: Lease) -> Permit | None:
    site = lease.site.profile
    if not assistant_for(site).is_set_up(site):
        with transaction() as session:
            note(session, not_set_up_incident(site, lease.site.id, day_of(site, clock.now())))
        return None
    permit = assistant_state.admit(site, lease.site.id, lease.session_id)
    if isinstance(permit, Permit):
        return permit
    if permit.reason != "resting":
        with transaction() as session:
            note(session, cap_incident(site, permit, lease.session_id))
    return None


def _settle(lease: Lease, permit: Permit, finished: Finished) -> None:
    site = lease.site.profile
    with transaction() as session:
        assistant_state.conclude(session, site, permit, finished)
        if finished.failure:
            note(session, failure_incident(site, permit, finished))
    assistant_state.settle(site, permit, finished)
    if finished.failure:
        logger.warning(
            "an assistant gave no answer",
            extra={
                "session_id": str(lease.session_id),
                "site": site.key,
                "assistant": site.assistant,
                "kind": finished.failure,
                "detail": finished.detail,
                "after_ms": finished.whole_ms,
            },
        )


def _take_over(lease: Lease) -> Reply:
    """The scripted answer, after a kind line where the visitor did not speak with it before."""
    site, transcript = lease.site.profile, lease.transcript
    reply = next(part for part in SCRIPTED.reply(transcript, site) if isinstance(part, Reply))
    if _has_our_question(transcript, site):
        return reply
    return replace(reply, text=f"{say(site, 'took_over')} {reply.text}")


def _has_our_question(transcript: Transcript, site: SiteProfile) -> bool:
    """Whether the visitor was last told the site's own question for what is asked for."""
    asked = field_named(site, transcript.draft.asking)
    last = next((line for line in reversed(transcript.lines) if line.role == "assistant"), None)
    return asked is not None and last is not None and question_of(site, asked) in last.text
