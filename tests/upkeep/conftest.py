"""Around what a test breaks, everything is as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.delivery.conftest import n8n
from tests.fakes.n8n import N8n
from tests.upkeep.by_hand import found, settle, talk

__all__ = ["n8n"]


@pytest.fixture
def healthy(database: Flask, n8n: N8n) -> Iterator[None]:
    """Afterwards nothing is wrong any more, and nobody was told the same twice."""
    talk()
    settle(talk())
    yield
    assert {check: count for check, count in found().items() if count} == {}
    twice = Counter((each.event["data"]["lead"]["id"], each.event["type"]) for each in n8n.received)
    assert [key for key, count in twice.items() if count > 1] == []
