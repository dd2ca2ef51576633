"""One N8n and one product for all of these tests: they take a minute to start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.browser.conftest import chromium, new_context, page, playwright
from tests.n8n import report
from tests.n8n.house import House
from tests.n8n.house import house as a_house

__all__ = ["chromium", "new_context", "page", "playwright"]


@pytest.fixture(scope="session")
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with a_house(tmp_path_factory.mktemp("n8n")) as place:
        yield place
    report.write(place, is_passed=request.session.testsfailed == 0)


@pytest.fixture
def taken(house: House) -> House:
    """Nothing has been handed on yet."""
    house.taker.received.clear()
    return house


def until(is_so: Callable[[], object], within_seconds: float = 60) -> None:
    """Wait for it."""
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
