"""On which screens each page is looked at: both themes, each on a desk, a tablet and a phone."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

Axe = Callable[..., list[str]]
SCREENS = list(itertools.product(("light", "dark"), (1440, 768, 390)))
#: Where pictures are kept for people to look at; nothing: none are taken.
SHOTS = os.environ.get("SHOTS", "")


def put_on(page: Page, theme: str, width: int) -> None:
    """At once: a colour that is still fading has too little contrast."""
    page.wait_for_load_state()  # after a click, it may be the next page that is still coming
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)


def assert_fine(page: Page, axe: Axe, name: str) -> None:
    """The page as it is open now, on every screen: axe finds nothing, nothing sticks out."""
    for theme, width in SCREENS:
        put_on(page, theme, width)
        assert axe(page, colours_only=theme == "dark") == [], (name, theme, width)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (name, theme, width)
        if SHOTS:
            file = f"{re.sub(r'[^a-z0-9]+', '_', name)}_{width}_{theme}.png"
            page.screenshot(path=Path(SHOTS) / file, full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
