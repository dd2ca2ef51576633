"""Who may answer a site's visitors, by name."""

from __future__ import annotations

from app.assistants.base import Assistant
from app.assistants.scripted import ScriptedAssistant
from app.models.site_profile import SiteProfile

_SCRIPTED = ScriptedAssistant()

ASSISTANTS: dict[str, Assistant] = {"scripted": _SCRIPTED}


def assistant_for(site: SiteProfile) -> Assistant:
    """The site's assistant; a name nobody answers to gets the scripted one, which needs nothing."""
    return ASSISTANTS.get(site.assistant, _SCRIPTED)
