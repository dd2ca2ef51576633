"""One Chromium for all tests of a process, begun again should it hang."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_BROWSER = (
    "The browser tests need Chromium. On Debian: apt-get install chromium. "
    "Elsewhere: .venv/bin/playwright install chromium"
)
#: Closing takes milliseconds; Playwright would wait for ever.
CLOSES_WITHIN_SECONDS = 60


class Chromium:
    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._browser: Browser | None = None

    @property
    def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            try:
                self._browser = self._playwright.chromium.launch(
                    executable_path=executable(), args=ARGUMENTS
                )
            except Error as error:
                pytest.exit(f"{NO_BROWSER}\n{error}", returncode=1)
        return self._browser

    def close_context(self, context: BrowserContext) -> None:
        """What a test was about is over: a browser that hangs on closing is no failure of it."""
        with _killed_if_hanging():
            context.close()

    def close(self) -> None:
        if self._browser is not None:
            with _killed_if_hanging():
                self._browser.close()


def executable() -> str | None:
    """The system's browser; None: the one Playwright installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@contextmanager
def _killed_if_hanging() -> Iterator[None]:
    has_hung = threading.Event()

    def kill() -> None:
        has_hung.set()
        for child in psutil.Process().children(recursive=True):
            if child.name().startswith("chrom"):
                child.kill()

    timer = threading.Timer(CLOSES_WITHIN_SECONDS, kill)
    timer.start()
    try:
        yield
    except Error:
        if not has_hung.is_set():
            raise
    finally:
        timer.cancel()
