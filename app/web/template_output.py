"""What templates do with text from outside: it cannot reorder its surroundings, and in an address
it is only ever the part it was put in for.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Flask

from app.core import safe_text

#: RFC 3966: digits, and a + in front; visual separators carry nothing.
_NOT_DIALLED = re.compile(r"[^0-9+]")
_PHONE = re.compile(r"\+?[0-9]{3,20}")


class _Exact(str):
    """Text that `_shown` leaves as it is."""

    __slots__ = ()


def register(app: Flask) -> None:
    app.jinja_env.finalize = _shown
    app.jinja_env.filters.update(as_typed=_Exact, isolated=isolated)
    app.jinja_env.globals.update(email_href=email_href, phone_href=phone_href)


def email_href(email: str) -> str | None:
    """`mailto:` with the address and nothing else (RFC 6068); None for what is no address.

    `?`, `&` and `%` would begin header fields, such as a hidden receiver.
    """
    local, at, domain = email.rpartition("@")
    if not (local and at and domain) or not email.isprintable():
        return None
    return f"mailto:{quote(local, safe='+')}@{quote(domain, safe='')}"


def phone_href(phone: str) -> str | None:
    """`tel:` with the number's digits; None for what is no number."""
    dialled = _NOT_DIALLED.sub("", phone)
    return f"tel:{dialled}" if _PHONE.fullmatch(dialled) else None


def isolated(text: str) -> str:
    """For a page's title, a tooltip or an option, where no element can isolate a text."""
    return _Exact(safe_text.isolated(text))


def _shown(value: object) -> object:
    """Called with whatever a template puts out. Markup stays: a macro's was made here already."""
    return safe_text.without_bidi_scopes(value) if type(value) is str else value
