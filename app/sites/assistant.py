"""Change what a site's assistant is set to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from app.core.errors import Invalid
from app.models.assistant_settings import (
    DEFAULTS,
    SETTING_NAMES,
    AssistantSettings,
)
from app.sites.assistant_schema import AssistantSchema
from app.sites.chat_access import with_access

#: What is typed about an assistant. Not all of it is stored as it is typed.
OF_ASSISTANT = frozenset(AssistantSchema().fields) - {"assistant"}


def changed_settings(stored: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """A site's new `assistant_settings`: of all settings those that differ from the defaults.

    `typed`: some of OF_ASSISTANT, checked one by one. Raises Invalid where they do not go together.
    """
    before = AssistantSettings.from_json(stored)
    own = {name: value for name, value in typed.items() if name in SETTING_NAMES}
    if "link_hosts" in own:
        own["link_hosts"] = tuple(dict.fromkeys(own["link_hosts"]))
    after = with_access(before, replace(before, **own), typed)
    if problems := _problems(after):
        raise Invalid(problems)
    usual = DEFAULTS.to_json()
    settings = {name: value for name, value in after.to_json().items() if value != usual[name]}
    if after.link_hosts:
        settings["link_hosts"] = list(after.link_hosts)
    return settings


def _problems(ai: AssistantSettings) -> dict[str, list[str]]:
    """Settings that are right one by one, and together would leave no visitor an answer."""
    problems = {}
    if ai.first_word_seconds > ai.answer_seconds:
        told = f"Use {ai.first_word_seconds} or more: the first word comes before the end."
        problems["answer_seconds"] = [told]
    for name in ("session_tokens", "day_tokens"):
        if getattr(ai, name) < ai.least_tokens:
            told = f"Use {ai.least_tokens} or more: one answer can take that."
            problems[name] = [told]
    cents = ceil(ai.least_tokens * max(ai.price_in, ai.price_out) / 1e4)
    for name in ("session_money", "day_money"):
        if getattr(ai, name) * 100 < cents:
            told = f"Use {cents / 100:.2f} or more: at these prices, one answer can cost that."
            problems[name] = [told]
    return problems
