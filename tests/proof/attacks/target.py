"""What an attack is told about the product it attacks."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_addresses = itertools.count(1)


def new_address() -> str:
    """A visitor's address nobody has had before, for X-Forwarded-For (198.18.0.0/15, RFC 2544)."""
    number = next(_addresses)
    return f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"


@dataclass(slots=True)
class Target:
    """A product on 127.0.0.1 behind one (pretended) proxy: `TRUSTED_PROXIES=1`.

    `slow_site`: the key of a site whose n8n takes 20 s for an answer. `agent`: email and password
    of a user whose account is attacked. `insider_cookies`: the Cookie header of another agent, who
    is signed in and attacks. `tally` counts what an attack did and what it was
    answered, for the report.
    """

    port: int
    database_url: str
    site: str = "demo"
    slow_site: str = "slow"
    agent: tuple[str, str] = ("agent@example.com", "a long enough password")
    insider_cookies: str = ""
    api_key: str = ""
    tally: Counter[str] = field(default_factory=Counter)


#: Goes on until the event is set, then returns within a few seconds; raises nothing.
Attack = Callable[[Target, threading.Event], None]
