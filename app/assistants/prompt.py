from __future__ import annotations
from app.models.site_profile import SiteProfile
from app.models.transcript import Transcript


def system_prompt(site: SiteProfile, transcript: Transcript | None = None) -> str:
    return ""
