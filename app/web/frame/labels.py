"""Stored values in a receptionist's words: a status is always icon, word and colour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import g

from app.core import clock
from app.web.identity import current_identity


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone`: green, blue, grey, amber or red; red only for what needs a person."""

    icon: str
    text: str
    tone: str


COMPLETION = {
    "in_progress": Badge("comment-dots", "In progress", "blue"),
    "completed": Badge("circle-check", "Completed", "green"),
}
ARCHIVE = {
    "active": Badge("inbox", "Active", "grey"),
    "archived": Badge("box-archive", "Archived", "grey"),
}
#: By `runs.engine.state`.
RUN = {
    "waiting": Badge("clock", "Waiting", "blue"),
    "running": Badge("rotate", "Running", "blue"),
    "interrupted": Badge("circle-pause", "Interrupted", "amber"),
    "done": Badge("circle-check", "Done", "green"),
    "failed": Badge("circle-exclamation", "Not finished", "red"),
    "cancelled": Badge("ban", "Cancelled", "grey"),
}
QA = {
    "unchecked": Badge("clipboard-question", "Unchecked", "grey"),
    "passed": Badge("check-double", "Passed", "green"),
    "issue": Badge("flag", "Issue", "red"),
    "fixed": Badge("wrench", "Fixed", "blue"),
}
DELIVERY = {
    "pending": Badge("clock", "Waiting", "blue"),
    "delivered": Badge("circle-check", "Sent", "green"),
    "failed": Badge("rotate", "Trying again", "amber"),
    "dead": Badge("circle-exclamation", "Not sent", "red"),
    "unknown": Badge("circle-question", "Not sure", "red"),
    "cancelled": Badge("ban", "Cancelled", "grey"),
}
#: How a lead's deliveries fare together; None: there is none.
LEAD_DELIVERY = {
    "arrived": Badge("circle-check", "Arrived", "green"),
    "waiting": Badge("clock", "Waiting", "blue"),
    "problem": Badge("circle-exclamation", "Needs a look", "red"),
    None: Badge("circle-minus", "Not sent yet", "grey"),
}
CHANNEL = {
    "web": Badge("globe", "Website", "grey"),
    "messenger": Badge("comments", "Messenger", "grey"),
    "n8n": Badge("diagram-project", "N8n", "grey"),
    "api": Badge("plug", "API", "grey"),
}
ROLE = {
    "visitor": Badge("user", "Visitor", "grey"),
    "assistant": Badge("robot", "Assistant", "grey"),
    "agent": Badge("headset", "Team", "grey"),
    "system": Badge("circle-info", "Note", "grey"),
}
SECOND_STEP = Badge("shield-halved", "On", "green")
EVENT = {
    "lead.completed": "New lead",
    "lead.updated": "Lead changed",
    "lead.partial": "Unfinished lead",
    "lead.test": "Test",
    "lead.erased": "Lead erased",
    "qa.issue": "Letter: issue reported",
    "qa.fixed": "Letter: issue fixed",
    "qa.digest": "Letter: several reviews",
    "user.invited": "Letter: invitation",
    "user.reset": "Letter: new password",
    "user.notice": "Letter",
}
_DESTINATIONS = {
    "n8n": "N8n",
    "monday": "Monday",
    "email": "the mail service",
    "messenger": "Messenger",
    "console": "the console",
}
#: Who acted where nobody was signed in.
COMMAND_LINE = "Command line"
#: What a session's id outside is called, where it has one.
EXTERNAL = {"n8n": "Id in N8n", "messenger": "Id in Messenger", "api": "Sender's id"}
CONTACT = {"name": "Name", "email": "E-mail", "phone": "Phone", "company": "Company"}
ATTRIBUTION = {
    "landing_url": "Landing page",
    "referrer": "Came from",
    "utm_source": "Source",
    "utm_medium": "Medium",
    "utm_campaign": "Campaign",
    "utm_term": "Term",
    "utm_content": "Content",
    "gclid": "Google click",
    "fbclid": "Facebook click",
}


def field_name(key: str) -> str:
    """`preferred_time` as "Preferred time"."""
    return CONTACT.get(key) or key.replace("_", " ").replace("-", " ").strip().capitalize()


def capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def destination_name(key: str) -> str:
    """ "N8n" for `n8n`, "N8n (clinic)" for `n8n/clinic`."""
    kind, _, site = key.partition("/")
    name = _DESTINATIONS.get(kind, kind)
    return f"{name} ({site})" if site else name


def capitalized_name(key: str) -> str:
    return capitalize_first(destination_name(key))


def initials(name: str | None) -> str:
    """At most two capitals of a name; nothing for no name."""
    words = (name or "").split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def ago(moment: datetime) -> str:
    """ "5 min ago"; from a week on the date. `static/js/dashboard/times.js` says the same."""
    now = clock.now()
    seconds = (now - moment).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    if seconds < 7 * 86400:
        days = int(seconds // 86400)
        return "1 day ago" if days == 1 else f"{days} days ago"
    here = zone()
    local = moment.astimezone(here)
    year = "" if local.year == now.astimezone(here).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


def until(moment: datetime) -> str:
    """ "in 2 min", "in 3 h", "any moment"."""
    seconds = (moment - clock.now()).total_seconds()
    if seconds < 1:
        return "any moment"
    if seconds < 60:
        return f"in {round(seconds)} s"
    if seconds < 3600:
        return f"in {round(seconds / 60)} min"
    return f"in {round(seconds / 3600)} h"


def exact(moment: datetime) -> str:
    """ "22 Nov 2026, 17:12:30 UTC", in the user's time zone."""
    local = moment.astimezone(zone())
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def day(moment: datetime) -> str:
    """ "Sunday, 22 November 2026", in the user's time zone."""
    local = moment.astimezone(zone())
    return f"{local:%A}, {local.day} {local:%B %Y}"


def clock_time(moment: datetime) -> str:
    return f"{moment.astimezone(zone()):%H:%M}"


def order(moment: datetime) -> str:
    """Text that sorts as time does."""
    return f"{moment.timestamp():020.6f}"


def duration(milliseconds: int) -> str:
    """ "80 ms", "1.2 s"."""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def zone() -> ZoneInfo:
    """The user's time zone, looked up once a request."""
    if "zone" not in g:
        identity = current_identity()
        try:
            g.zone = ZoneInfo(identity.timezone if identity else "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            g.zone = ZoneInfo("UTC")
    found: ZoneInfo = g.zone
    return found
