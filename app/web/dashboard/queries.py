"""Reading the query of a page's address: what is unknown or wrong there counts as not given."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from flask import request

MOST_IDS = 100


def choice(name: str, values: Collection[str]) -> str | None:
    value = request.args.get(name)
    return value if value in values else None


def ids(name: str) -> list[uuid.UUID]:
    """`?ids=a,b,c`, at most a hundred."""
    found = []
    for text in request.args.get(name, "").split(",")[:MOST_IDS]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
