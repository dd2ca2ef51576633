"""The audit log in plain words: what somebody did, after their name."""

from __future__ import annotations

from app.models import AuditEntry
from app.reporting.audit import AuditRow
from app.web.dashboard.deliveries.labels import deliveries_in_words
from app.web.frame import labels

SAID = {
    "session.archived": "archived a session",
    "session.activated": "brought a session back from the archive",
    "session.completed": "marked a session as completed",
    "session.reopened": "opened a session again",
    "session.deleted": "deleted a session",
    "session.qa_moved": "reviewed a session",
    "session.qa_undone": "took a review back",
    "lead.edited": "changed a lead",
    "view.saved": "saved a view",
    "view.renamed": "renamed a saved view",
    "view.changed": "gave a saved view other filters",
    "view.deleted": "deleted a saved view",
    "delivery.sent_again": "sent a delivery again",
    "delivery.personal_shown": "looked at the personal details of a delivery",
    "deliveries.sent_again": "sent what was given up again, to",
    "destination.resumed": "resumed sending to",
    "destination.tested": "sent a test to",
    "letter.tested": "sent themselves a test letter",
    "incident.resolved": "marked an incident as resolved",
    "incident.reopened": "opened an incident again",
    "key.created": "made a key",
    "key.revoked": "revoked a key",
    "site.created": "made the site",
    "site.changed": "changed the settings of",
    "site.assistant_changed": "changed who answers on",
    "site.rules_changed": "changed what counts as a booking on",
    "sync.started": "started a sync",
    "check.started": "started a check",
    "job.retried": "retried a quarantined job",
    "check.repaired": "started a check that repairs what it finds",
    "user.invited": "invited",
    "user.created": "made the user",
    "user.joined": "took up their invitation",
    "user.role_changed": "changed the role of",
    "user.deactivated": "shut out",
    "user.activated": "let in again",
    "user.signed_in": "signed in",
    "user.sign_in_failed": "has to wait after too many wrong passwords",
    "user.signed_out": "signed out",
    "user.signed_out_everywhere": "signed out everywhere",
    "user.refresh_token_reused": "had an API sign-in ended: a used refresh token was sent again",
    "password.changed": "changed their password",
    "password.reset": "set a new password",
    "password.forgotten": "asked for a new password",
    "password.link_made": "made a link to a new password for",
    "two_factor.enabled": "turned two-factor sign-in on",
    "two_factor.disabled": "turned two-factor sign-in off",
    "two_factor.codes_made": "made new recovery codes",
    "profile.changed": "changed their profile",
}
#: The same where it was done to somebody else, whose name follows.
SAID_OF = {
    "user.signed_out_everywhere": "ended every sign-in of",
    "two_factor.disabled": "turned two-factor sign-in off for",
    "password.reset": "set a new password for",
}
ROLES = {"admin": "admin", "agent": "agent"}


def icon(entry: AuditEntry) -> str:
    return _ICONS.get(entry.object_type or "", "circle-info")


def said(row: AuditRow) -> str:
    """What was done; the name of what it was done to follows where there is one."""
    action = row.entry.action
    return (SAID_OF.get(action) if about(row) else None) or SAID.get(action, action)


def about(row: AuditRow) -> str | None:
    """The name of what it was done to, unless somebody did it to themselves."""
    entry = row.entry
    if entry.object_type == "destination" and entry.object_id:
        return labels.capitalized_name(entry.object_id)
    is_oneself = entry.object_type == "user" and entry.object_id == str(entry.user_id)
    if is_oneself:
        return None
    return row.about or entry.details.get("name")


def details(entry: AuditEntry) -> str:
    """What else there is to say, in a few words; "" for nothing."""
    given = entry.details
    match entry.action:
        case "session.qa_moved":
            return labels.QA[given["to"]].text
        case "session.qa_undone":
            return f"It was: {labels.QA[given['was']].text}"
        case "session.reopened" if given.get("cancelled"):
            return f"{given['cancelled']} not sent"
        case "lead.edited":
            return ", ".join(labels.field_name(each) for each in given.get("fields", ()))
        case "deliveries.sent_again":
            return deliveries_in_words(given["count"])
        case "user.role_changed":
            return f"from {ROLES[given['old']]} to {ROLES[given['new']]}"
        case "user.invited" | "user.created" if "role" in given:
            return f"as {ROLES[given['role']]}"
        case "user.signed_in" | "user.signed_out" if given.get("by") == "api":
            return "by the API"
        case "user.sign_in_failed":
            return f"{given['tries']} tries"
        case "view.renamed":
            return f"It was: {given['old']}"
    return ""


_ICONS = {
    "session": "comments",
    "delivery": "paper-plane",
    "destination": "paper-plane",
    "user": "user",
    "site": "globe",
    "key": "key",
    "view": "bookmark",
    "incident": "triangle-exclamation",
    "sync": "rotate",
    "check": "clipboard-check",
    "job": "rotate",
}
