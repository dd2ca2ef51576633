"""Reading the query of a page's address: what is unknown or wrong there counts as not given."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

from flask import request

MAX_IDS = 100
LONGEST_QUERY = 200


def choice(name: str, values: Collection[str]) -> str | None:
    value = request.args.get(name)
    return value if value in values else None


def search_query(name: str = "q") -> str:
    """What somebody searches for, on one line; "" for nothing."""
    text = request.args.get(name, "").replace("\x00", " ")
    return " ".join(text.encode("utf-8", "ignore").decode().split())[:LONGEST_QUERY].strip()


def ids(name: str) -> list[uuid.UUID]:
    """`?ids=a,b,c`, at most a hundred."""
    return read_ids(request.args.get(name, "").split(","))


def read_ids(texts: Iterable[str]) -> list[uuid.UUID]:
    """Those of these texts that are ids, at most a hundred."""
    found = []
    for text in list(texts)[:MAX_IDS]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
