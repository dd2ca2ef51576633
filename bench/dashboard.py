"""An open page of the dashboard, as its own JavaScript keeps it up to date."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from bench.setup import EMAIL, PASSWORD

PAUSE_SECONDS = 1.0
_ROW = re.compile(r"<li class=\"row-item\".*?</li>", re.DOTALL)
_CONTACT = re.compile(r"lag-[a-z0-9-]+@example\.com")
_COMPLETED = ">Completed<"


def sign_in(port: int) -> requests.Session:
    person = requests.Session()
    house = f"http://127.0.0.1:{port}"
    found = re.search(
        r'name="csrf_token"[^>]*value="([^"]+)"', person.get(f"{house}/login", timeout=30).text
    )
    assert found, "the sign-in page has no form"
    form = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD}
    person.post(f"{house}/login", data=form, timeout=30).raise_for_status()
    return person


def completed_on(page: str) -> set[str]:
    """The e-mail addresses of those shown as completed."""
    return {
        found[0]
        for row in _ROW.findall(page)
        if _COMPLETED in re.sub(r"\s*([<>])\s*", r"\1", row) and (found := _CONTACT.search(row))
    }


class Dashboard:
    """The list of sessions: told of changes by `/live`, it asks at most once a second for the
    changed rows. `shown_at`: when each e-mail address was first shown as completed.
    """

    def __init__(self, port: int) -> None:
        self.shown_at: dict[str, float] = {}
        self._house = f"http://127.0.0.1:{port}"
        self._person = sign_in(port)
        self._changed: set[str] = set()
        self._has_news = threading.Condition()
        self._is_stale = False
        self._is_over = False
        self._stream = self._person.get(f"{self._house}/live", stream=True, timeout=60)

    def listen(self) -> None:
        try:
            for line in self._stream.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("data: "):
                    news = json.loads(line.removeprefix("data: "))
                    with self._has_news:
                        self._changed.update(news.get("sessions", ()))
                        self._is_stale = self._is_stale or not news
                        self._has_news.notify()
        except (OSError, AttributeError, requests.RequestException):
            if not self._is_over:
                raise

    def show(self) -> None:
        person = requests.Session()
        person.cookies.update(self._person.cookies)
        while not self._is_over:
            with self._has_news:
                self._has_news.wait_for(
                    lambda: self._changed or self._is_stale or self._is_over, 1.0
                )
                ids, self._changed = list(self._changed), set()
                is_stale, self._is_stale = self._is_stale, False
            if is_stale or len(ids) > 100:
                page = person.get(f"{self._house}/sessions", timeout=30).text
            elif ids:
                page = person.get(
                    f"{self._house}/sessions/rows", params={"ids": ",".join(ids)}, timeout=30
                ).text
            else:
                continue
            now = time.monotonic()
            for email in completed_on(page):
                self.shown_at.setdefault(email, now)
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        self._is_over = True
        with self._has_news:
            self._has_news.notify()
        self._stream.close()


@contextmanager
def open_page(port: int) -> Iterator[Dashboard]:
    page = Dashboard(port)
    threads = [threading.Thread(target=each, daemon=True) for each in (page.listen, page.show)]
    for thread in threads:
        thread.start()
    try:
        yield page
    finally:
        page.close()
        threads[1].join()
