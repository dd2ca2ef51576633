"""The assistant that is a language model behind an OpenAI-compatible API."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from app.assistants.base import AssistantError, FailureKind, Reply, Usage
from app.assistants.free_talk import asks_consent, consent_question, opening, reply_of
from app.assistants.history import history, tokens_of, tokens_of_all
from app.assistants.prompt import DIRECTIONS, system_prompt
from app.assistants.recital import Recital, RecitedError
from app.assistants.run import MOST_CHARACTERS
from app.assistants.scripted_flow import name_to_say
from app.assistants.scripted_words import confirmation
from app.assistants.tools import CONFIRM, Toolbox, offered
from app.gateways.chat_completion import OPENAI_URL, Answered, ModelError, Server, ToolCall
from app.gateways.thinking import WithoutThinking
from app.leads.agreement import CONSENT
from app.models.site_profile import SiteProfile
from app.models.transcript import Transcript

#: How often a model is asked for one answer; the last time it may not call a tool any more.
MOST_ROUNDS = 4
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WHOLE_SENTENCES = re.compile(r".*[.!?…。！？](?=\s|$)", re.S)
_BETWEEN = "\n\n"


class OpenAICompatibleAssistant:
    """`url`: where the API begins, empty: OpenAI's; `model`: for sites that name none."""

    promises_in_words = False

    def __init__(self) -> None:
        self.url = ""
        self.key = ""
        self.model = ""

    def is_set_up(self, site: SiteProfile) -> bool:
        """Whether there is a server to ask and a model to ask for."""
        return bool((self.url or self.key) and self.model_for(site))

    def model_for(self, site: SiteProfile) -> str:
        return site.ai.model.strip() or self.model

    def opening(self, site: SiteProfile) -> list[Reply]:
        return opening(site)

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """The model's answer to the visitor's newest lines, in at most four calls of it."""
        if not self.is_set_up(site):
            raise AssistantError("not_set_up")
        server = Server(self.url or OPENAI_URL, self.key)
        answer = _Answer(server, self.model_for(site), transcript, site)
        try:
            yield from answer.speak()
        except AssistantError as error:  # also one that is thrown in by who listens
            raise answer.failed(error.kind, error.detail) from None
        except RecitedError:
            raise answer.failed("not_for_people", "its directions") from None


class _Answer:
    def __init__(
        self, server: Server, model: str, transcript: Transcript, site: SiteProfile
    ) -> None:
        from app.gateways.openai_compatible import ask  # slow to load

        self._server, self._model, self._ask_model = server, model, ask
        self._transcript, self._site = transcript, site
        started = time.monotonic()
        self._first_word_at = started + site.ai.first_word_seconds
        self._whole_at = started + site.ai.answer_seconds
        self._toolbox = Toolbox(transcript, site)
        self._tools = offered(site)
        self._messages: list[dict[str, Any]] = [
            {
                "role": "system",
                "content": system_prompt(site, replace(transcript, draft=self._toolbox.draft)),
            },
            *history(transcript.lines, site.ai.history_tokens),
        ]
        self._recital = Recital(DIRECTIONS, site.ai.instructions)
        self._text = ""
        self._usage = Usage()
        self._open_call: tuple[int, str] | None = None

    def speak(self) -> Iterator[str | Reply]:
        for number in range(1, MOST_ROUNDS + 1):
            before = len(self._text)
            answered = yield from self._ask(may_call=number < MOST_ROUNDS)
            said = self._text[before:].strip()
            if not answered.calls:
                self._text = _ended(self._text) if answered.is_cut_short else self._text
                break
            if number == MOST_ROUNDS:
                raise self.failed("capped", "rounds")
            is_well = self._use_tools(answered.calls, said)
            if self._toolbox.is_confirmed or (said and is_well):
                break
        yield from self._ending()

    def failed(self, kind: FailureKind, detail: str = "") -> AssistantError:
        """With what the calls took, the one that broke off included."""
        usage = self._usage
        if self._open_call:
            usage += Usage(self._open_call[0], tokens_of(self._open_call[1]))
        return AssistantError(kind, detail, calls=tuple(self._toolbox.calls), usage=usage)

    def _ask(self, *, may_call: bool) -> Generator[str, None, Answered]:
        """One call of the model; its text goes to the visitor as it comes."""
        costs = tokens_of_all(self._messages) + tokens_of_all(self._tools)
        self._keep_within_tokens(costs)
        self._open_call = (costs, "")
        thinking = WithoutThinking()
        beginning = _BETWEEN if self._text else ""
        parts = self._ask_model(
            self._server,
            self._model,
            self._messages,
            answer_tokens=self._site.ai.answer_tokens,
            first_word_at=self._whole_at if self._text else self._first_word_at,
            whole_at=self._whole_at,
            tools=self._tools,
            may_call=may_call,
        )
        try:
            with closing(parts):
                for part in parts:
                    if isinstance(part, Answered):
                        yield from self._say(thinking.finish(), beginning)
                        return self._settled(part)
                    self._open_call = (costs, self._open_call[1] + part)
                    if piece := thinking.hear(part):
                        yield from self._say(piece, beginning)
                        beginning = ""
        except ModelError as error:
            return self._broken_off(error)
        raise AssertionError("an answer ends with Answered")

    def _say(self, piece: str, beginning: str) -> Iterator[str]:
        if not piece:
            return
        piece = beginning + piece
        self._text += piece
        if len(self._text) > MOST_CHARACTERS:
            raise self.failed("too_big")
        if said := self._recital.hear(piece):
            yield said

    def _keep_within_tokens(self, costs: int) -> None:
        most = self._transcript.tokens_left
        used = self._usage.input_tokens + self._usage.output_tokens
        if most is not None and used + costs + self._site.ai.answer_tokens > most:
            raise self.failed("capped", "tokens")

    def _settled(self, answered: Answered) -> Answered:
        """What the server counted, or else what we did."""
        assert self._open_call is not None
        given, taken = answered.usage or (self._open_call[0], tokens_of(self._open_call[1]))
        self._usage += Usage(given, taken)
        self._open_call = None
        return answered

    def _broken_off(self, error: ModelError) -> Answered:
        if not error.has_begun:
            self._open_call = None
        if error.kind == "empty" and self._text:
            return Answered()
        if error.kind == "timeout":
            raise self.failed("too_long" if self._text else "too_slow") from None
        if error.kind == "garbage" or error.kind == "filtered":
            raise self.failed("not_for_people", f"{error.kind} {error.detail}".strip()) from None
        kind: FailureKind = error.kind
        raise self.failed(kind, error.detail) from None

    def _use_tools(self, calls: tuple[ToolCall, ...], said: str) -> bool:
        """Tell the model what its calls did. Gives whether nothing is left to do but to listen."""
        named = [replace(call, id=call.id or f"call_{at}") for at, call in enumerate(calls)]
        self._messages.append(
            {"role": "assistant", "content": said, "tool_calls": [*map(_echo, named)]}
        )
        is_well = True
        for call in sorted(named, key=lambda call: call.name == CONFIRM):
            done = self._toolbox.use(call.name, call.arguments)
            is_well = is_well and done.is_well
            self._messages.append({"role": "tool", "tool_call_id": call.id, "content": done.told})
        return is_well

    def _ending(self) -> Iterator[str | Reply]:
        yield self._recital.finish()
        toolbox, site = self._toolbox, self._site
        if toolbox.is_confirmed:
            yield self._add(confirmation(site, name_to_say(toolbox.draft, site)))
        elif toolbox.asks_for == CONSENT and not asks_consent(self._text, site):
            yield self._add(consent_question(site))
        if not self._text.strip():
            raise self.failed("empty")
        reply = reply_of(
            self._text,
            self._transcript,
            toolbox.draft,
            site,
            asks_for=toolbox.asks_for,
            confirms_booking=toolbox.is_confirmed,
            calls=tuple(toolbox.calls),
            usage=self._usage,
        )
        answers = toolbox.known(reply.draft.asking).answers
        yield replace(reply, draft=replace(reply.draft, answers=answers))

    def _add(self, sentence: str) -> str:
        """A sentence of the site's own behind the model's."""
        added = _BETWEEN + sentence if self._text.strip() else sentence
        self._text += added
        return added


def _echo(call: ToolCall) -> dict[str, Any]:
    """A call as it stands in the history. Servers refuse one that is not as it should be."""
    try:
        is_object = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    function = {
        "name": call.name if _NAME.fullmatch(call.name) else "unknown",
        "arguments": call.arguments if is_object else "{}",
    }
    return {"id": call.id, "type": "function", "function": function}


def _ended(text: str) -> str:
    """A text that was cut short, up to its last whole sentence."""
    whole = _WHOLE_SENTENCES.match(text)
    return whole.group() if whole else f"{text.rstrip()}…"
