"""Who may answer a site's visitors, by name."""

from __future__ import annotations

from app.assistants.base import Assistant
from app.assistants.n8n import N8nAssistant
from app.assistants.scripted import ScriptedAssistant
from app.models.site_profile import SiteProfile

SCRIPTED = ScriptedAssistant()
_N8N = N8nAssistant(SCRIPTED)

ASSISTANTS: dict[str, Assistant] = {"scripted": SCRIPTED, "n8n": _N8N}


def configure(n8n_chat_url: str, n8n_chat_timeout_seconds: float) -> None:
    """Set by wiring."""
    _N8N.url, _N8N.timeout_seconds = n8n_chat_url, n8n_chat_timeout_seconds


def assistant_for(site: SiteProfile) -> Assistant:
    """The site's assistant; a name nobody answers to gets the scripted one, which needs nothing."""
    return ASSISTANTS.get(site.assistant, SCRIPTED)
