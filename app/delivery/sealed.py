"""Letters with a link that lets somebody in: what they say is sealed until they are sent.

Once sent it is removed. Of one that could not be sent it stays, sealed, so that it can be sent
again; its link has an end of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.core import crypto

SEALED_EVENTS = ("user.invited", "user.reset")
_SEALED = ("text", "html")


def seal(letter: Mapping[str, Any]) -> dict[str, Any]:
    """The letter as it may be stored: to whom and about what stays readable."""
    said = json.dumps({name: letter[name] for name in _SEALED})
    kept = {name: value for name, value in letter.items() if name not in _SEALED}
    return {**kept, "sealed": crypto.seal(said)}


def unseal(letter: Mapping[str, Any]) -> dict[str, Any] | None:
    """The letter as it is sent, sealed or not; None when it can no longer be read."""
    if "sealed" not in letter:
        return dict(letter)
    said = crypto.unseal(letter["sealed"])
    kept = {name: value for name, value in letter.items() if name != "sealed"}
    return None if said is None else {**kept, **json.loads(said)}


def emptied(body: str) -> str:
    """A delivery's body without what was sealed in it."""
    event = json.loads(body)
    event["data"].pop("sealed", None)
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
