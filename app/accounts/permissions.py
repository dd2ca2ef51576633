"""What each role may do, as scopes. A route asks for a scope, never for a role."""

from __future__ import annotations

AGENT_SCOPES = frozenset(
    {
        "sessions:read",
        "sessions:write",
        "leads:read",
        "leads:write",
        "stats:read",
        "errors:read",
        "deliveries:read",
        "deliveries:write",
        "export:read",
        "profile:write",
    }
)
ADMIN_SCOPES = AGENT_SCOPES | {
    "sessions:delete",
    "errors:write",
    "destinations:write",
    "users:write",
    "keys:write",
    "sites:write",
    "settings:write",
    "sync:run",
    "audit:read",
    "metrics:read",
}
SCOPES_OF_ROLE = {"agent": AGENT_SCOPES, "admin": ADMIN_SCOPES}
