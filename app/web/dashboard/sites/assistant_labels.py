"""A site's assistant in plain words: who it is, and why it gave no answer."""

from __future__ import annotations

from dataclasses import dataclass

from app.chat.trial import Tried
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import SiteProfile
from app.reporting.notices import Fallback


@dataclass(frozen=True, slots=True)
class Card:
    """A choice of who answers. `subject` begins a sentence about it."""

    icon: str
    name: str
    about: str
    subject: str


CARDS = {
    "scripted": Card(
        "comments",
        "Our own questions, no AI needed",
        "Asks for what you want to know, one thing after the other, and books. Costs nothing.",
        "The scripted assistant",
    ),
    "n8n": Card(
        "diagram-project",
        "Your N8n workflow",
        "Each message goes to a chat workflow of yours, and its answer to the visitor.",
        "The workflow",
    ),
    "openai": Card(
        "robot",
        "A language model (OpenAI or compatible)",
        "Talks freely, answers questions about your business, and collects the same details.",
        "The model",
    ),
}
_SHORT = {"scripted": "Our own questions", "n8n": "N8n workflow", "openai": "Language model"}
_IN_A_SENTENCE = {"n8n": "The N8n workflow", "openai": "The language model"}
_NOT_SET_UP = {
    "n8n": "No address is known. Give one under “Where it is reached”, or set N8N_CHAT_URL "
    "on the server.",
    "openai": "It needs a model, here under “Where it is reached” or on the server "
    "(OPENAI_MODEL), and a key on the server (OPENAI_API_KEY).",
}
_FAILURES = {
    "too_slow": "{} did not begin to answer within {first}.",
    "too_long": "{} did not finish its answer within {whole}.",
    "too_big": "{} did not stop writing: its answer was too long for a chat.",
    "unreachable": "{} could not be reached.",
    "refused": "{} refused our key or password.",
    "missing": "Nobody answers at this address. Is the workflow published, the model's name right?",
    "busy": "{} is busy and asked us to come back later.",
    "broken": "{} reported an error of its own.",
    "cut_off": "{} broke off in the middle of its answer.",
    "empty": "{} answered with nothing.",
    "not_for_people": "{} answered with something a visitor should not see, like an error message.",
    "capped": "{} would have used up more for this answer than one answer may.",
    "bug": "Something went wrong on our side. It has been recorded.",
    "resting": "{} is left alone for a moment, because it failed several times in a row.",
    "day_turns": "Today's answers are used up: {day_turns} a day are allowed.",
    "day_tokens": "Today's tokens are used up, or too few of {day_tokens} are left for an answer.",
    "day_money": "Today's money is used up, or too little of ${day_money} is left for an answer.",
    "session_turns": "No answer is allowed in a conversation.",
    "session_tokens": "A conversation may use {session_tokens} tokens: too few for one answer.",
    "session_money": "A conversation may cost ${session_money}: too little for one answer at "
    "these prices.",
}


def short_name(assistant: str) -> str:
    return _SHORT.get(assistant, assistant)


def failure(site: SiteProfile, tried: Tried) -> str:
    """Why there was no answer, as a sentence or two."""
    kind = str(tried.failure)
    if kind == "not_set_up":
        return _NOT_SET_UP.get(site.assistant, "It is not set up yet.")
    sentence = _FAILURES.get(kind, "{} did not answer.")
    return sentence.format(CARDS[site.assistant].subject, **_limits(site.ai))


def failed_before(kind: str) -> str:
    """ "did not begin to answer in time", going on from who."""
    return _BEFORE.get(kind, "did not answer")


_BEFORE = {
    "too_slow": "did not begin to answer in time",
    "too_long": "did not finish its answers in time",
    "too_big": "did not stop writing",
    "unreachable": "could not be reached",
    "refused": "refused our key or password",
    "missing": "was not found at its address",
    "busy": "was too busy",
    "broken": "reported errors of its own",
    "cut_off": "broke off in the middle",
    "empty": "answered with nothing",
    "not_for_people": "answered with error messages",
    "capped": "would have used up too much",
    "bug": "met a mistake of ours",
}


def fallback_reason(fallback: Fallback) -> str:
    """Why a site's visitors are answered without its assistant."""
    name = _IN_A_SENTENCE.get(fallback.assistant, "The assistant")
    if fallback.kind == "not_set_up":
        return f"{name} is chosen but not set up yet."
    return f"{name} {failed_before(fallback.kind)}."


def money(dollars: float) -> str:
    """ "$0.004", "$2.50": two digits, or as many as it takes to see something."""
    if dollars == 0 or dollars >= 0.01:
        return f"${dollars:,.2f}"
    return "less than $0.0001" if dollars < 0.0001 else f"${dollars:.4f}".rstrip("0")


def cost(site: SiteProfile, tried: Tried) -> float:
    """What an answer cost, in US dollars."""
    usage, ai = tried.usage, site.ai
    return (usage.input_tokens * ai.price_in + usage.output_tokens * ai.price_out) / 1e6


def _limits(ai: AssistantSettings) -> dict[str, str]:
    return {
        "first": _seconds(ai.first_word_seconds),
        "whole": _seconds(ai.answer_seconds),
        "day_turns": f"{ai.day_turns:,}",
        "day_tokens": f"{ai.day_tokens:,}",
        "day_money": f"{ai.day_money:g}",
        "session_tokens": f"{ai.session_tokens:,}",
        "session_money": f"{ai.session_money:g}",
    }


def _seconds(count: int) -> str:
    return "1 second" if count == 1 else f"{count} seconds"
