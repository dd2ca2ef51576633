"""What an API key may do, in plain words: the scopes that routes of the API ask for."""

from __future__ import annotations

from collections.abc import Iterable

SCOPES = {
    "sessions:read": ("Read sessions", "With their messages and leads."),
    "sessions:write": (
        "Send in sessions",
        "Add sessions and messages, complete and reopen. What N8n needs to pass conversations on.",
    ),
    "sessions:delete": ("Delete sessions", "For good, with messages and lead."),
    "errors:write": ("Report errors", "What N8n needs to tell of workflows that failed."),
    "errors:read": ("Read incidents", "The errors of workflows and assistants, grouped."),
    "sync:run": ("Start a sync", "And follow how it goes."),
}


def may(scopes: Iterable[str]) -> str:
    """ "Read sessions, report errors": what a key with these scopes may do."""
    known = [words[0] for scope, words in SCOPES.items() if scope in scopes]
    # Made at the command line for a route there is none of, yet.
    words = [*known, *sorted(set(scopes) - SCOPES.keys())]
    return ", ".join([*words[:1], *(word[:1].lower() + word[1:] for word in words[1:])])
