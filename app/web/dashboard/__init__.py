"""The pages people work on, one folder per noun. Importing this package adds their routes."""

from app.web.dashboard import (
    audit,
    deliveries,
    incidents,
    keys,
    leads,
    overview,
    profile,
    sessions,
    settings,
    sites,
    sync,
    users,
)
from app.web.frame import live
from app.web.frame.blueprint import blueprint

__all__ = [
    "audit",
    "blueprint",
    "deliveries",
    "incidents",
    "keys",
    "leads",
    "live",
    "overview",
    "profile",
    "sessions",
    "settings",
    "sites",
    "sync",
    "users",
]
