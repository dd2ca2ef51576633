"""How we show a site's own N8n chat who we are: a header, or a user name and password, sealed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

from app.core.crypto import seal, unseal
from app.core.errors import Invalid
from app.models.assistant_settings import AssistantSettings

AccessKind = Literal["none", "header", "basic"]
BASIC_HEADER = "Authorization"


def access_kind(ai: AssistantSettings) -> AccessKind:
    """Which of the three is stored."""
    if not ai.chat_header_sealed:
        return "none"
    value = unseal(ai.chat_header_sealed) or ""
    is_basic = ai.chat_header_name == BASIC_HEADER and value.startswith("Basic ")
    return "basic" if is_basic else "header"


def is_readable(ai: AssistantSettings) -> bool:
    """False: what is stored was sealed with a SECRET_KEY that is gone."""
    return not ai.chat_header_sealed or unseal(ai.chat_header_sealed) is not None


def with_access(
    before: AssistantSettings, after: AssistantSettings, typed: Mapping[str, Any]
) -> AssistantSettings:
    """`after` with the access that was typed, else with that of `before`. Raises Invalid.

    `typed` may hold chat_access, chat_header_name, chat_header_value, chat_user, chat_password.
    A secret is kept only for the host it was given for, and gone with the address.
    """
    if not after.chat_url:
        return _without_address(after, typed)
    kept = replace(
        after,
        chat_header_name=before.chat_header_name,
        chat_header_sealed=before.chat_header_sealed,
    )
    match typed.get("chat_access") or _meant(typed):
        case "none":
            return replace(after, chat_header_name="", chat_header_sealed="")
        case "basic":
            return _basic(kept, before, typed)
        case "header":
            return _header(kept, before, typed)
    return _kept(kept, before, "chat_header_value") if kept.chat_header_sealed else kept


def _without_address(after: AssistantSettings, typed: Mapping[str, Any]) -> AssistantSettings:
    if any(typed.get(name) for name in ("chat_header_value", "chat_user", "chat_password")):
        raise Invalid({"chat_url": ["Please give the address that asks for it."]})
    return replace(after, chat_header_name="", chat_header_sealed="")


def _meant(typed: Mapping[str, Any]) -> AccessKind | None:
    if typed.get("chat_user") or typed.get("chat_password"):
        return "basic"
    if typed.get("chat_header_value") or typed.get("chat_header_name"):
        return "header"
    return "none" if "chat_header_name" in typed else None


def _basic(
    kept: AssistantSettings, before: AssistantSettings, typed: Mapping[str, Any]
) -> AssistantSettings:
    user, password = typed.get("chat_user") or "", typed.get("chat_password") or ""
    if not user and not password and access_kind(before) == "basic":
        return _kept(kept, before, "chat_password")
    missing = {"chat_user": user, "chat_password": password}
    errors = {name: ["Please fill this in."] for name, value in missing.items() if not value}
    if errors:
        raise Invalid(errors)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return replace(kept, chat_header_name=BASIC_HEADER, chat_header_sealed=seal(f"Basic {pair}"))


def _header(
    kept: AssistantSettings, before: AssistantSettings, typed: Mapping[str, Any]
) -> AssistantSettings:
    name = typed.get("chat_header_name", before.chat_header_name)
    value = (typed.get("chat_header_value") or "").strip()
    if not name:
        raise Invalid({"chat_header_name": ["Please give the header's name, like X-Api-Key."]})
    if value:
        return replace(kept, chat_header_name=name, chat_header_sealed=seal(value))
    if not before.chat_header_sealed or name.lower() != before.chat_header_name.lower():
        raise Invalid({"chat_header_value": ["Please give the header's value."]})
    return _kept(kept, before, "chat_header_value")


def _kept(kept: AssistantSettings, before: AssistantSettings, field: str) -> AssistantSettings:
    if _origin(kept.chat_url) != _origin(before.chat_url):
        raise Invalid({field: ["The address leads to another host now: please type this again."]})
    return kept


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
