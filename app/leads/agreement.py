"""Whether a visitor agrees to be contacted, and what that allows us to keep."""

from __future__ import annotations

import re
from typing import Literal

from app.models.site_profile import CONTACT_DETAILS, Field, SiteProfile
from app.models.transcript import Draft

#: The key of the yes/no question, beside the site's own fields.
CONSENT = "consent"

_YES = re.compile(
    r"^(?:(?:well|oh|ok|okay|um|hm+)[\s,.!]+)*(?:yes|yeah|yep|yup|ya|yea|aye|y|sure|ok|okay"
    r"|of course"
    r"|certainly|absolutely|definitely|fine|alright|all right|go ahead|no problem|i (?:do )?agree"
    r"|i (?:do )?consent|agreed|i accept"
    r"|that's (?:fine|ok|okay)|you (?:may|can)|please do"
    r"|sounds good|ja|jawohl|gerne|oui|d'accord|sí|si|claro|sim|sì|tak|да|是|はい|نعم|👍|✅)(?!\w)",
    re.I,
)
_NO = re.compile(
    r"^(?:(?:well|oh|um|hm+|sorry|actually)[\s,.!]+)*(?:no|nope|nah|n|never|not|don't|do not"
    r"|i don't|i do not|i'd rather not|i would rather not|rather not|please don't"
    r"|i refuse|no thanks|stop"
    r"|skip|i disagree|i decline|nein|non|não|nie|nee|нет|否|いいえ|لا|👎|❌)(?!\w)",
    re.I,
)
_AFTER_ALL = re.compile(
    r"\b(?:you (?:may|can) (?:contact|call|e-?mail|reach|write)"
    r"|(?:i )?(?:now |do )?(?:agree|consent)"
    r"\b|(?:go ahead|okay|ok|yes|please),? (?:you may |do )?(?:contact|call|e-?mail) me)",
    re.I,
)
_TAKEN_BACK = re.compile(r"\b(?:don't|do not|not|never|no longer|cannot|can't)\b", re.I)


def read_yes_no(text: str) -> Literal["yes", "no"] | None:
    """An answer to a yes/no question; None when it is neither."""
    text = text.replace("’", "'").strip()
    if _YES.match(text):
        return None if text.endswith("?") else "yes"
    return "no" if _NO.match(text) else None


def agrees_after_all(text: str) -> bool:
    """Whether someone who had refused now says outright that we may get in touch."""
    text = text.replace("’", "'")
    return (
        _AFTER_ALL.search(text) is not None
        and not text.rstrip().endswith("?")
        and not _TAKEN_BACK.search(text)
    )


def is_contact_detail(field: Field) -> bool:
    return field.type in ("email", "phone") or field.key in CONTACT_DETAILS


def may_keep_contact_details(draft: Draft, site: SiteProfile) -> bool:
    """Under a yes/no question nothing to reach the visitor by is kept before a yes."""
    return site.consent.mode != "question" or draft.consent == "given"
