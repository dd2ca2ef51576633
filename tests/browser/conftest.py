"""A real Chromium against the real app. `visit` opens pages; each test has an empty profile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    BrowserContext,
    Frame,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from app.core.db import transaction
from app.sites.demo import ensure_demo_site
from tests.browser.chromium import ARGUMENTS, Chromium, executable

ROOT = Path(__file__).resolve().parents[2]
#: What is waited for may be late on a busy machine; `bench/` and `make proof` say how soon it is.
TIMEOUT_MS = 20_000
expect.set_options(timeout=TIMEOUT_MS)
#: What can differ between the two themes; everything else was checked in the first.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
MOVES_ARE_OVER = """() => Promise.all(
    document.getAnimations()
        .filter((move) => move.effect.getComputedTiming().endTime !== Infinity)
        .map((move) => move.finished.catch(() => null))
)"""


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Chromium]:
    chromium = Chromium(playwright)
    yield chromium
    chromium.close()


@pytest.fixture
def page_with_third_party_storage(playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    """Like `page`, in a browser set to let frames of other sites store something.

    Chromium does not by default; it is a setting of the profile, hence a profile on disk.
    """
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text('{"profile": {"cookie_controls_mode": 0}}', encoding="utf-8")
    context = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=executable(), args=ARGUMENTS, locale="en-GB"
    )
    context.set_default_timeout(TIMEOUT_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def new_context(chromium: Chromium) -> Iterator[Callable[..., BrowserContext]]:
    """`new_context(**options)`: a fresh profile. Any script error in it fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.browser.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(TIMEOUT_MS)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        chromium.close_context(context)
    assert errors == []


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context().new_page()


@pytest.fixture
def host_page() -> Iterator[Callable[[str], str]]:
    """`host_page(html)`: that page on an origin of its own, as a customer's site has it."""
    servers: list[ThreadingHTTPServer] = []

    def serve(html: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path in ("/", "/page") or self.path.startswith("/?")
                body = html.encode() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://localhost:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    """`axe(page or frame)`: what axe-core finds wrong there, one line each, when all that fades in
    has: a colour on its way has too little contrast. `colours_only`: by the rules on colours.
    """
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def check(where: Page | Frame, *, colours_only: bool = False) -> list[str]:
        where.wait_for_load_state()
        where.evaluate(MOVES_ARE_OVER)
        if not where.evaluate("'axe' in window"):
            where.evaluate(source)
        only = {"runOnly": {"type": "rule", "values": COLOUR_RULES}} if colours_only else {}
        violations = where.evaluate(
            "async (options) => (await axe.run(document, options)).violations",
            {"iframes": False, **only},
        )
        return [
            f"{violation['id']}: {violation['help']}: "
            + "; ".join(
                node["html"][:160] + " " + node["failureSummary"] for node in violation["nodes"]
            )
            for violation in violations
        ]

    return check


@pytest.fixture
def demo(server: str) -> str:
    """The live app's address, with the demo site in it."""
    with transaction() as session:
        ensure_demo_site(session)
    return server
