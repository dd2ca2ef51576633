"""What an answer may use of a conversation's and a day's caps. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from app.assistants.openai_compatible import MOST_ROUNDS
from app.models.assistant_settings import AssistantSettings

PROMPT_TOKENS = 2_500

Cap = Literal[
    "session_turns", "session_tokens", "session_money", "day_turns", "day_tokens", "day_money"
]


@dataclass(frozen=True, slots=True)
class Used:
    """Set aside or used up so far, in a conversation or in a day."""

    turns: int = 0
    tokens: int = 0
    cost_micros: int = 0


def turns_used_up(ai: AssistantSettings, of_session: Used, of_day: Used) -> Cap | None:
    if of_session.turns >= ai.session_turns:
        return "session_turns"
    return "day_turns" if of_day.turns >= ai.day_turns else None


def allowed_tokens(ai: AssistantSettings, of_session: Used, of_day: Used) -> tuple[int, Cap | None]:
    """What one answer may use, and the cap that leaves too little."""
    left: dict[Cap, float] = {
        "session_tokens": ai.session_tokens - of_session.tokens,
        "day_tokens": ai.day_tokens - of_day.tokens,
    }
    left["session_money"] = _tokens_for(ai, 1e6 * ai.session_money - of_session.cost_micros)
    left["day_money"] = _tokens_for(ai, 1e6 * ai.day_money - of_day.cost_micros)
    narrowest = min(left, key=lambda cap: left[cap])
    whole_turn = MOST_ROUNDS * (PROMPT_TOKENS + ai.history_tokens + ai.answer_tokens)
    tokens = int(min(left[narrowest], whole_turn))
    return tokens, narrowest if tokens < ai.least_tokens else None


def highest_cost(ai: AssistantSettings, tokens: int) -> int:
    """Of an answer of so many tokens, as many of them written by the model as it may write."""
    written = min(tokens, _most_written(ai))
    return round(written * max(ai.price_in, ai.price_out) + (tokens - written) * ai.price_in)


def _tokens_for(ai: AssistantSettings, micros: float) -> float:
    """The longest answer whose highest cost is no more than that."""
    written, price = _most_written(ai), max(ai.price_in, ai.price_out)
    if price == 0:
        return math.inf
    if micros < written * price:
        return micros / price
    return written + (micros - written * price) / ai.price_in if ai.price_in else math.inf


def _most_written(ai: AssistantSettings) -> int:
    return MOST_ROUNDS * ai.answer_tokens
