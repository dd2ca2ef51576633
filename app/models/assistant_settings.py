"""How a site's assistant is set: what it knows, where it is reached, what it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """A plain value; stored as JSON in `sites.assistant_settings`, where only what differs from
    these defaults need stand.

    Seconds count from the visitor's message being stored. Money is in US dollars, prices are per
    million tokens. `chat_url`: this site's own N8n chat, empty: N8N_CHAT_URL;
    `chat_header_sealed`: the value of the header `chat_header_name`, sealed by `core.crypto`.
    `link_hosts`: hosts whose links a visitor can click, besides those of the site's own origins.
    """

    first_word_seconds: int = 20
    answer_seconds: int = 30

    chat_url: str = ""
    chat_header_name: str = ""
    chat_header_sealed: str = ""

    model: str = ""
    business: str = ""
    tone: str = "Friendly and brief."
    instructions: str = ""
    history_tokens: int = 3_000
    answer_tokens: int = 500
    price_in: float = 2.5
    price_out: float = 10.0

    session_turns: int = 60
    session_tokens: int = 100_000
    session_money: float = 0.5
    day_turns: int = 5_000
    day_tokens: int = 5_000_000
    day_money: float = 20.0

    link_hosts: tuple[str, ...] = ()

    @property
    def least_tokens(self) -> int:
        """An answer of a language model that could use less than this is not begun."""
        return SHORTEST_PROMPT_TOKENS + self.history_tokens + self.answer_tokens

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AssistantSettings:
        known = {name: data[name] for name in SETTING_NAMES if name in data}
        return cls(**{**known, "link_hosts": tuple(known.get("link_hosts", ()))})


#: What a model is told at the least: its directions and its tools.
SHORTEST_PROMPT_TOKENS = 1_300
DEFAULTS = AssistantSettings()
SETTING_NAMES = tuple(field.name for field in fields(AssistantSettings))
