"""Real Chromium pages of the widget, each noting when a word of the assistant is on the screen."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, sync_playwright

from bench.model import LAST_WORDS
from bench.stamps import PATTERN, seconds

ANSWERED_WITHIN_SECONDS = 60
#: A word is in the page when an observer is told of it, and on the screen when the next frame has
#: been drawn: the first task after that frame's callbacks.
_WATCH = """(pattern) => {
  const known = new Set();
  window.words = [];
  const drawn = (after) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = after;
    channel.port2.postMessage(0);
  });
  new MutationObserver(() => {
    const at = performance.now();
    for (const [index, bubble] of document.querySelectorAll(".line.them .bubble").entries()) {
      for (const [, letters] of bubble.textContent.matchAll(new RegExp(pattern, "g"))) {
        if (known.has(letters)) continue;
        known.add(letters);
        const word = { index, letters, at, drawn: null };
        window.words.push(word);
        drawn(() => { word.drawn = performance.now(); });
      }
    }
  }).observe(document.getElementById("log"), {
    childList: true, subtree: true, characterData: true,
  });
}"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A word on a screen; times as `time.monotonic()`. `answer` counts the page's answers."""

    answer: int
    said: float
    in_page: float
    drawn: float


class Screen:
    """One page of the widget. Its clock is set against ours, to within `clock_error` seconds."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        page.goto(address)
        page.locator(".line.them .bubble").first.wait_for()
        page.locator(".field textarea:visible").wait_for()
        page.evaluate(_WATCH, PATTERN)
        self._behind, self.clock_error = _clock_of(page)
        self._answers = self._count()

    def write(self, words: str) -> None:
        """Send a message; does not wait for the answer."""
        field = self._page.locator(".field textarea:visible")
        field.fill(words)
        field.press("Enter")

    def wait_for_answer(self) -> None:
        self._answers += 1
        self._page.wait_for_function(
            """([count, end]) => {
              const answers = document.querySelectorAll(".line.them .bubble");
              return answers.length === count && [...answers].at(-1).textContent.endsWith(end);
            }""",
            arg=[self._answers, LAST_WORDS],
            timeout=1000 * ANSWERED_WITHIN_SECONDS,
        )

    def words(self) -> list[Shown]:
        return [
            Shown(
                word["index"],
                seconds(word["letters"]),
                word["at"] / 1000 + self._behind,
                word["drawn"] / 1000 + self._behind,
            )
            for word in self._page.evaluate("window.words")
            if word["drawn"] is not None
        ]

    def _count(self) -> int:
        return self._page.locator(".line.them .bubble").count()


@contextmanager
def screens(addresses: list[str]) -> Iterator[list[Screen]]:
    """A page for each address, each with a profile of its own, in one browser."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        try:
            yield [Screen(browser.new_context().new_page(), address) for address in addresses]
        finally:
            browser.close()


def _clock_of(page: Page) -> tuple[float, float]:
    """What to add to the page's clock (in seconds) to get ours, and how far off that may be."""
    best = (0.0, float("inf"))
    for _ in range(30):
        before = time.monotonic()
        there = page.evaluate("performance.now()") / 1000
        after = time.monotonic()
        best = min(best, ((before + after) / 2 - there, (after - before) / 2), key=lambda b: b[1])
    return best
