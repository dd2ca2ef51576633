"""Trying an assistant out: an answer as a visitor would get it, of which nothing is stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.assistants.base import NOTHING_USED, Call, FailureKind, Usage
from app.assistants.prompt import system_prompt
from app.assistants.registry import assistant_for
from app.assistants.run import Finished, run
from app.chat import assistant_state
from app.chat.answer import unpromising
from app.chat.assistant_caps import Cap
from app.chat.assistant_state import Permit
from app.chat.outside import TRIAL
from app.completion.detection import compile_phrases
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Input, Line, Transcript


@dataclass(frozen=True, slots=True)
class Tried:
    """What a visitor would have been answered: `text`, or nothing for a `failure`.

    `input`: what the visitor could do next; `draft`: what would be known then. `prompt`: what the
    model was told beforehand, empty for an assistant without one. Milliseconds from the message.
    """

    text: str
    input: Input
    draft: Draft
    confirms_booking: bool = False
    failure: FailureKind | Cap | Literal["resting"] | None = None
    detail: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = NOTHING_USED
    first_word_ms: int | None = None
    whole_ms: int = 0
    prompt: str = ""


def try_out(
    site: SiteProfile,
    site_id: uuid.UUID,
    lines: Sequence[Line],
    draft: Draft,
    conversation: uuid.UUID,
) -> Tried:
    """The answer of this site's assistant, as it is set in `site`, to the newest of `lines`.

    `lines`: visitor and assistant in turn, oldest first, ids rising; `conversation`: the same for
    all messages of one trial, which a workflow remembers. No transaction may be open.
    What it takes counts for the site's day; a rest or the failures of a trial do not count.
    """
    assistant = assistant_for(site)
    nothing = Tried("", Input(), draft, prompt=_prompt(site))
    if not assistant.is_set_up(site):
        return replace(nothing, failure="not_set_up")
    permit = assistant_state.admit(site, site_id, None)
    if not isinstance(permit, Permit):
        return replace(nothing, failure=permit.reason)
    transcript = Transcript(
        session_id=f"{TRIAL}{conversation}",
        lines=tuple(lines),
        draft=draft,
        tokens_left=permit.tokens,
    )
    rule = compile_phrases(site.phrases, site.exclusions)
    *_, finished = run(assistant, transcript, site, unpromising(rule))
    assert isinstance(finished, Finished), "a run ends with a Finished"
    assistant_state.settle(site, permit, finished)
    tried = replace(
        nothing,
        failure=finished.failure,
        detail=finished.detail,
        calls=finished.calls,
        usage=finished.usage,
        first_word_ms=finished.first_word_ms,
        whole_ms=finished.whole_ms,
    )
    if finished.reply is None:
        return tried
    reply = finished.reply
    return replace(
        tried,
        text=reply.text,
        input=reply.input,
        draft=reply.draft,
        confirms_booking=reply.confirms_booking,
    )


def _prompt(site: SiteProfile) -> str:
    return system_prompt(site) if site.assistant == "openai" else ""
