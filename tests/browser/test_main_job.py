"""From a landing page to a delivered lead: the product as `make run` starts it, in a browser."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from bench import servers
from tests.fakes.n8n import N8n, running_n8n

ROOT = Path(__file__).resolve().parents[2]
ADMIN = ("boss@example.com", "a quite long password")
SECRET = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="


@contextmanager
def product(tmp_path: Path, **environ: str) -> Iterator[tuple[str, Path]]:
    """The supervisor with web and worker on a fresh database: its address, what it prints."""
    output = tmp_path / "output.txt"
    port = servers.free_port()
    with servers.fresh_database() as database_url, output.open("wb") as written:
        env = servers.environment(
            database_url,
            port,
            ADMIN_EMAIL=ADMIN[0],
            ADMIN_PASSWORD=ADMIN[1],
            PYTHONUNBUFFERED="1",
            **environ,
        )
        process = subprocess.Popen(
            [sys.executable, "serve.py"], cwd=ROOT, env=env, stdout=written, stderr=written
        )
        try:
            servers.wait_until_open(port)
            yield f"http://127.0.0.1:{port}", output
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert not _is_listening(port)


@pytest.fixture
def team(new_context: Callable[..., BrowserContext]) -> Callable[[str], Page]:
    """`team(address)`: somebody of the team, signed in, with the sessions open."""

    def sign_in(address: str) -> Page:
        page = new_context().new_page()
        page.goto(f"{address}/sessions")
        page.get_by_label("E-mail").fill(ADMIN[0])
        page.get_by_label("Password").fill(ADMIN[1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()
        return page

    return sign_in


def chat_to_a_booking(page: Page, address: str) -> None:
    """The whole demo chat, with one wrong e-mail address and one correction on the way."""
    page.goto(f"{address}/demo?utm_source=newsletter")
    page.locator("[data-p5-open]").first.click()
    chat = page.frame_locator("iframe")
    say(chat, "Ann Lee", "What can we help you with?")
    chat.get_by_role("button", name="Kitchen", exact=True).click()
    expect(chat.get_by_role("log")).to_contain_text("Which e-mail address")
    say(chat, "ann@example", "e-mail")
    say(chat, "ann@example.com", "phone")
    say(chat, "Actually it's Ann.Lee@EXAMPLE.com", "phone")
    say(chat, "020 7946 0958", "within 24 hours")


def say(chat: FrameLocator, words: str, answer: str) -> None:
    log = chat.get_by_role("log")
    own = log.locator(".line.me").count()
    chat.get_by_label("Your message").and_(chat.locator(":visible")).fill(words)
    chat.get_by_role("button", name="Send", exact=True).click()
    expect(log.locator(".line.me")).to_have_count(own + 1)
    expect(log.locator(".line.me + .line.them").nth(own)).to_contain_text(answer)


def test_a_chat_becomes_one_lead_at_n8n_and_is_seen_live(
    tmp_path: Path, page: Page, team: Callable[[str], Page]
) -> None:
    with (
        running_n8n(SECRET) as n8n,
        product(tmp_path, N8N_LEAD_WEBHOOK_URL=n8n.url, N8N_WEBHOOK_SECRET=SECRET) as (address, _),
    ):
        dashboard = team(address)
        expect(dashboard.get_by_text("Ann Lee")).to_have_count(0)
        dashboard.evaluate("window.neverReloaded = true")
        chat_to_a_booking(page, address)
        row = dashboard.get_by_role("listitem").filter(has_text="Ann Lee")
        expect(row).to_contain_text("Completed")
        assert dashboard.evaluate("window.neverReloaded") is True
        n8n.wait_for(1)
        _check_lead(n8n)
        row.get_by_role("link").first.click()
        expect(dashboard.locator("mark")).to_have_text("within 24 hours")
        expect(dashboard.get_by_text("Sent to N8n").first).to_be_visible()


def test_without_n8n_the_lead_is_printed_and_recorded(
    tmp_path: Path, page: Page, team: Callable[[str], Page]
) -> None:
    with product(tmp_path) as (address, output):
        chat_to_a_booking(page, address)
        dashboard = team(address)
        row = dashboard.get_by_role("listitem").filter(has_text="Ann Lee")
        row.get_by_role("link").first.click()
        expect(dashboard.get_by_text("Shown on the console")).to_be_visible()
        printed = output.read_text()
        assert "ann.lee@example.com" in printed.lower()
        assert "+442079460958" in printed


def _check_lead(n8n: N8n) -> None:
    [request] = n8n.received
    assert request.is_verified
    event = request.event
    assert event["type"] == "lead.completed"
    lead = event["data"]["lead"]
    assert (lead["name"], lead["email"], lead["phone"]) == (
        "Ann Lee",
        "Ann.Lee@example.com",
        "+442079460958",
    )
    assert lead["qualification"] == {"service": "Kitchen"}
    assert (lead["missing"], lead["invalid"]) == ([], [])
    assert event["data"]["attribution"]["utm_source"] == "newsletter"
    transcript = event["data"]["transcript"]
    said = [line["text"] for line in transcript if line["role"] == "visitor"]
    assert said == [
        "Ann Lee",
        "Kitchen",
        "ann@example",
        "ann@example.com",
        "Actually it's Ann.Lee@EXAMPLE.com",
        "020 7946 0958",
    ]
    assert len(transcript) == event["data"]["session"]["message_count"] == 14
    assert "within 24 hours" in transcript[-1]["text"]


def _is_listening(port: int) -> bool:
    try:
        servers.wait_until_open(port, seconds=0)
    except OSError:
        return False
    return True
