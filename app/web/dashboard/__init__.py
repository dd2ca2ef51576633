"""The pages people work on."""

from app.web.dashboard.audit import index as audit
from app.web.dashboard.deliveries import index as deliveries
from app.web.dashboard.deliveries import show as delivery_pages
from app.web.dashboard.incidents import index as incidents
from app.web.dashboard.keys import index as keys
from app.web.dashboard.leads import index as leads
from app.web.dashboard.overview import index as overview
from app.web.dashboard.overview import notices
from app.web.dashboard.profile import show as profile
from app.web.dashboard.profile import two_factor
from app.web.dashboard.sessions import actions as session_moves
from app.web.dashboard.sessions import bulk as session_archive
from app.web.dashboard.sessions import index as sessions
from app.web.dashboard.sessions import lead as session_leads
from app.web.dashboard.sessions import show as session_pages
from app.web.dashboard.settings import index as settings
from app.web.dashboard.sites import assistant as assistants
from app.web.dashboard.sites import backtests
from app.web.dashboard.sites import index as sites
from app.web.dashboard.sync import checks
from app.web.dashboard.sync import index as sync
from app.web.dashboard.users import actions as user_moves
from app.web.dashboard.users import index as users
from app.web.frame import live
from app.web.frame.blueprint import blueprint

__all__ = [
    "assistants",
    "audit",
    "backtests",
    "blueprint",
    "checks",
    "deliveries",
    "delivery_pages",
    "incidents",
    "keys",
    "leads",
    "live",
    "notices",
    "overview",
    "profile",
    "session_archive",
    "session_leads",
    "session_moves",
    "session_pages",
    "sessions",
    "settings",
    "sites",
    "sync",
    "two_factor",
    "user_moves",
    "users",
]
