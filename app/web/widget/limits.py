"""How often the widget's routes may be called: by one address, in one chat, on one site.

Counted per process unless RATELIMIT_STORAGE_URI names a shared store, so with two processes up to
twice as much passes. RATELIMIT_ENABLED=false lifts all of them.
"""

from __future__ import annotations

import math
import uuid

from flask import request

from app.core.addresses import rate_key
from app.web.rates import rates

# An office or a mobile network shares one address: 200 people may chat from it at once, each
# writing six messages a minute. A single visitor is held by the limits of a chat.
STARTS_PER_ADDRESS = "300/minute"
MESSAGES_PER_ADDRESS = "1200/minute"
READINGS_PER_ADDRESS = "3000/minute"
#: Ten times the chats that a busy site has at once, and a third of what two cores can answer:
#: the other sites keep their share of the database.
STARTS_PER_SITE = "1500/minute"
MESSAGES_PER_SITE = "6000/minute"
MESSAGES_PER_SESSION = "60/minute"
#: A tab looks twice a minute, and after each message another tab has sent.
READINGS_PER_SESSION = "120/minute"
# In kB. A conversation of 2,000 long messages can be read once, an ordinary one a thousand times.
READ_PER_SESSION = "8000/minute"
READ_PER_ADDRESS = "24000/minute"
BYTES_PER_KB = 1000


def take_start_of_address() -> None:
    rates().take(STARTS_PER_ADDRESS, "starts", "address", _address())


def take_start_of_site(site_id: uuid.UUID) -> None:
    rates().take(STARTS_PER_SITE, "starts", "site", str(site_id))


def take_message(session_id: uuid.UUID, site_id: uuid.UUID) -> None:
    """The session first: what it is refused counts for nobody else."""
    rates().take(MESSAGES_PER_SESSION, "messages", "session", str(session_id))
    rates().take(MESSAGES_PER_ADDRESS, "messages", "address", _address())
    rates().take(MESSAGES_PER_SITE, "messages", "site", str(site_id))


def take_reading(session_id: uuid.UUID) -> None:
    rates().take(READINGS_PER_SESSION, "readings", "session", str(session_id))
    rates().take(READINGS_PER_ADDRESS, "readings", "address", _address())


def take_bytes_read(session_id: uuid.UUID, size: int) -> None:
    """Count an answer's size before it is sent."""
    kilobytes = math.ceil(size / BYTES_PER_KB)
    rates().take(READ_PER_SESSION, "read", "session", str(session_id), cost=kilobytes)
    rates().take(READ_PER_ADDRESS, "read", "address", _address(), cost=kilobytes)


def _address() -> str:
    return rate_key(request.remote_addr or "")
