"""What every list draws many times, as HTML: functions, since a page of rows calls them hundreds of
times and a macro costs several times as much.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from markupsafe import Markup

from app.core.safe_text import without_bidi_scopes
from app.reporting.search import Marks
from app.web.frame import labels
from app.web.frame.labels import Badge

_ICON = Markup('<i class="fa-solid fa-{}" aria-hidden="true"></i>')
_BADGE = Markup('<span class="status status-{}">{}<span>{}</span></span>')
_MARK = Markup("<mark>{}</mark>")


@lru_cache(maxsize=256)
def icon(name: str) -> Markup:
    """One of Font Awesome's, by its name."""
    return _ICON.format(name)


@lru_cache(maxsize=256)
def badge(shown: Badge) -> Markup:
    """Icon, word and colour, the same everywhere."""
    return _BADGE.format(shown.tone, icon(shown.icon), shown.text)


def ago(moment: datetime) -> Markup:
    """How long ago; `static/js/dashboard/times.js` keeps it true."""
    return _time(moment, "ago", labels.ago(moment))


def until(moment: datetime) -> Markup:
    return _time(moment, "until", labels.until(moment))


def marked(pieces: Marks) -> Markup:
    """A text with what was searched for marked."""
    shown = ((without_bidi_scopes(text), is_hit) for text, is_hit in pieces)
    return Markup("").join(_MARK.format(text) if is_hit else text for text, is_hit in shown)


def _time(moment: datetime, direction: str, said: str) -> Markup:
    # Of numbers and our own words only; `Markup.format` would take three times as long.
    exact, sortable = labels.exact(moment), moment.isoformat()
    shown = f'<time datetime="{sortable}" title="{exact}" data-{direction}>{said}</time>'
    return Markup(shown)  # noqa: S704
