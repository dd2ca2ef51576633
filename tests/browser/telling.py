"""An assistant whose words come when a test says so, over a line a test can cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from queue import Queue
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from app.assistants.base import Reply
from app.chat import turn
from app.chat.turn_store import Lease
from app.core.db import transaction
from app.models import Site
from app.models.transcript import Draft, Input
from tests.browser.chat import Chat

PATIENCE_SECONDS = 20


class Teller:
    """Stands where `chat.turn` looks for its `answer`.

    `say(piece, …)` puts words on the visitor's screen, `end(text)` is the whole answer.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._parts: Queue[str | Reply] = Queue()

    def say(self, *pieces: str) -> None:
        for piece in pieces:
            self._parts.put(piece)

    def end(self, text: str) -> None:
        self._parts.put(Reply(text, Input(), Draft()))

    def answer(self, _lease: Lease) -> Iterator[str | Reply]:
        self.asked += 1
        while True:
            part = self._parts.get(timeout=PATIENCE_SECONDS)
            yield part
            if isinstance(part, Reply):
                return


class Line:
    """Everything sent to `address` goes on to the server; `cut` ends whatever is under way.
    While it `is_down`, nobody gets through.
    """

    is_down = False

    def __init__(self, server: str) -> None:
        self._goal = (urlsplit(server).hostname, urlsplit(server).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def cut(self) -> None:
        while self._open:
            end = self._open.pop()
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def take_down(self) -> None:
        self.is_down = True
        self.cut()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.is_down:
                    near.close()
                    continue
                self._open.append(near)
                far = socket.create_connection(self._goal)
                self._open.append(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, goal: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            goal.sendall(data)
        goal.shutdown(socket.SHUT_WR)


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Teller:
    teller = Teller()
    monkeypatch.setattr(turn, "answer", teller.answer)
    return teller


@pytest.fixture
def line(demo: str) -> Iterator[Line]:
    line = Line(demo)
    yield line
    line.close()


@pytest.fixture
def chat(page: Page, line: Line) -> Chat:
    return opened(page, line)


def opened(page: Page, line: Line) -> Chat:
    with transaction() as session:
        site = session.scalars(select(Site)).one()
        site.allowed_origins = ["https://good.example", line.address]
        site.assistant_settings = {"link_hosts": ["www.help.example", "müller.example"]}
    page.goto(f"{line.address}/widget/demo")
    chat = Chat(page)
    expect(chat.theirs).to_have_count(2)
    return chat


def ask(chat: Chat, text: str = "Can you help?") -> Locator:
    """Send it; gives the bubble that its answer will stand in."""
    answers = chat.theirs.count()
    chat.field.fill(text)
    chat.field.press("Enter")
    expect(chat.mine.last).to_have_text(text)
    return chat.theirs.nth(answers)
