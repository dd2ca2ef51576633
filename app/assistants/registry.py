"""Who may answer a site's visitors, by name."""

from __future__ import annotations

from typing import Protocol

from app.assistants.base import Assistant
from app.assistants.n8n import N8nAssistant
from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.assistants.scripted import ScriptedAssistant
from app.models.site_profile import SiteProfile


class AssistantAddresses(Protocol):
    """Read-only; the application's own `Settings` is one."""

    @property
    def n8n_chat_url(self) -> str: ...
    @property
    def n8n_chat_timeout_seconds(self) -> int: ...
    @property
    def n8n_auth_header_name(self) -> str: ...
    @property
    def n8n_auth_header_value(self) -> str: ...
    @property
    def openai_api_key(self) -> str: ...
    @property
    def openai_base_url(self) -> str: ...
    @property
    def openai_model(self) -> str: ...


SCRIPTED = ScriptedAssistant()
_N8N = N8nAssistant()
_OPENAI = OpenAICompatibleAssistant()

ASSISTANTS: dict[str, Assistant] = {"scripted": SCRIPTED, "n8n": _N8N, "openai": _OPENAI}


def configure(settings: AssistantAddresses) -> None:
    """Set by wiring."""
    _N8N.url = settings.n8n_chat_url
    _N8N.header = settings.n8n_auth_header_name, settings.n8n_auth_header_value
    _N8N.timeout_seconds = settings.n8n_chat_timeout_seconds
    _OPENAI.url, _OPENAI.key = settings.openai_base_url, settings.openai_api_key
    _OPENAI.model = settings.openai_model


def assistant_for(site: SiteProfile) -> Assistant:
    """The site's assistant; a name nobody answers to gets the scripted one, which needs nothing."""
    return ASSISTANTS.get(site.assistant, SCRIPTED)
