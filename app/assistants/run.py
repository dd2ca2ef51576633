"""One answer of an assistant, kept in bounds: its time, its size, and words that are for people."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.assistants.base import (
    NOTHING_USED,
    Assistant,
    AssistantError,
    Call,
    FailureKind,
    Reply,
    Usage,
)
from app.assistants.machine_words import (
    holds_machine_text,
    is_for_people,
    may_be_machine_text,
)
from app.assistants.readable import ReadableStream, readable
from app.gateways.thinking import without_thinking
from app.models.message_text import fitted
from app.models.site_profile import SiteProfile
from app.models.transcript import Transcript

logger = logging.getLogger(__name__)

#: An answer in a chat is short; a longer one is a model that does not stop.
MOST_CHARACTERS = 6_000
#: How many characters a promise takes at the most, with its marks and links.
_LONGEST_PROMISE = 600
#: Up to here all of the text is looked through with each word that may promise something; then less
#: and less often, and the words wait.
_OFTEN_LOOKED_THROUGH = 2_000


@dataclass(frozen=True, slots=True)
class Finished:
    """How an answer ended: with a `reply`, or with a `failure`. `shown`: what was yielded of it.

    Milliseconds from the call; `first_word_ms` is None where no word came.
    """

    reply: Reply | None
    failure: FailureKind | None = None
    detail: str = ""
    shown: str = ""
    first_word_ms: int | None = None
    whole_ms: int = 0
    usage: Usage = NOTHING_USED
    calls: tuple[Call, ...] = ()


def run(
    assistant: Assistant,
    transcript: Transcript,
    site: SiteProfile,
    without_promises: Callable[[str], str],
) -> Iterator[str | Finished]:
    """Yield what can be shown as it comes, then exactly one Finished. Never raises.

    `without_promises` gives a text back without the sentences that would complete a session.
    """
    answer = _Answer(assistant, site, without_promises)
    thoughts = assistant.reply(transcript, site)
    try:
        yield from answer.follow(thoughts)
    except AssistantError as error:
        yield answer.failed(_counted(thoughts, error))
    except Exception as error:  # the outermost edge: whatever it is, the visitor is answered
        # Its message may hold what a visitor wrote; where it happened does not.
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        logger.error("an assistant broke: %s\n%s", type(error).__name__, where)  # noqa: TRY400
        yield answer.failed(AssistantError("bug", type(error).__name__))
    finally:
        if isinstance(thoughts, Generator):
            thoughts.close()


def _counted(thoughts: Iterator[str | Reply], error: AssistantError) -> AssistantError:
    """An error found here, with what the answer had taken by then: only its assistant knows."""
    if isinstance(thoughts, Generator):
        try:
            thoughts.throw(error)
        except AssistantError as counted:
            return counted
        except Exception as other:  # the outermost edge, as above
            logger.error("an assistant broke: %s", type(other).__name__)  # noqa: TRY400
    return error


class _Answer:
    def __init__(
        self, assistant: Assistant, site: SiteProfile, without_promises: Callable[[str], str]
    ) -> None:
        self._site = site
        self._may_promise = assistant.promises_in_words
        self._without_promises = without_promises
        self._readable = ReadableStream()
        self._raw = self._ready = self._shown = ""
        self._is_muted = False
        self._next_whole_look = 0
        self._started = time.monotonic()
        self._first_word_ms: int | None = None

    def follow(self, thoughts: Iterator[str | Reply]) -> Iterator[str | Finished]:
        for part in thoughts:
            if isinstance(part, Reply):
                yield self._finished(part)
                return
            if part:
                self._first_word_ms = self._first_word_ms or max(1, self._elapsed_ms())
                if visible := self._take(part):
                    yield visible
        raise AssistantError("cut_off", "no reply at the end")

    def failed(self, error: AssistantError) -> Finished:
        return Finished(
            None,
            error.kind,
            error.detail,
            usage=error.usage,
            calls=error.calls,
            **self._measures(),
        )

    def _take(self, part: str) -> str:
        """What of the text so far can be shown and has not been."""
        self._raw += part
        if len(self._raw) > MOST_CHARACTERS:
            raise AssistantError("too_big")
        if self._elapsed_ms() > 1000 * self._site.ai.answer_seconds:
            raise AssistantError("too_long")
        if holds_machine_text(self._raw, len(self._raw) - len(part)):
            raise AssistantError("not_for_people", "in the middle")
        self._ready += self._readable.feed(part)
        if self._is_muted or may_be_machine_text(self._raw):
            return ""
        if not self._may_promise and self._must_wait():
            return ""
        visible = self._ready[len(self._shown) :]
        self._shown = self._ready
        return visible

    def _must_wait(self) -> bool:
        """Whether what is to be shown next makes a promise of what was shown, or may hold one."""
        if len(self._ready) < self._next_whole_look:
            return True
        newest = self._ready[max(0, len(self._shown) - _LONGEST_PROMISE) :]
        # The end of it first: to look through all of it with each word takes seconds in the end.
        if self._without_promises(newest) == newest:
            return False
        self._is_muted = self._without_promises(self._ready) != self._ready
        if len(self._ready) > _OFTEN_LOOKED_THROUGH:
            self._next_whole_look = len(self._ready) * 9 // 8
        return self._is_muted

    def _finished(self, reply: Reply) -> Finished:
        if len(reply.text) > MOST_CHARACTERS:
            raise AssistantError("too_big", calls=reply.calls, usage=reply.usage)
        text = fitted(readable(without_thinking(reply.text))).strip()
        if not text:
            raise AssistantError("empty", calls=reply.calls, usage=reply.usage)
        if not is_for_people(text):
            raise AssistantError("not_for_people", calls=reply.calls, usage=reply.usage)
        if not self._may_promise and not reply.confirms_booking:
            text = self._without_promises(text).strip()
            if not text:
                raise AssistantError(
                    "not_for_people", "a promise", calls=reply.calls, usage=reply.usage
                )
        return Finished(
            replace(reply, text=text), usage=reply.usage, calls=reply.calls, **self._measures()
        )

    def _measures(self) -> dict[str, Any]:
        return {
            "shown": self._shown,
            "first_word_ms": self._first_word_ms,
            "whole_ms": self._elapsed_ms(),
        }

    def _elapsed_ms(self) -> int:
        return round(1000 * (time.monotonic() - self._started))
