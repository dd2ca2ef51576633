"""A chatting visitor who, like the widget, repeats each message until it has been answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.proof.people import Person

GIVE_UP_AFTER_SECONDS = 180.0


class NotAnswered(Exception):  # noqa: N818 - a fact about a visit
    """What came was no whole answer; the message is one short word for the tally."""


class GaveUp(Exception):  # noqa: N818
    """Nobody answered for minutes."""


@dataclass(slots=True)
class Said:
    """`stored` and `answer` are messages as the server gave them to this visitor."""

    text: str
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    stored: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None


@dataclass(slots=True)
class Chat:
    """What this visitor knows of their conversation. `problems`: what should not have been."""

    person: Person
    session_id: str = ""
    token: str = ""
    said: list[Said] = field(default_factory=list)
    is_completed: bool = False
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Visitor:
    """`streams`: asks for events as the widget does. `is_patient`: repeats what failed; who is
    not closes the page at the first failure. `address`: where a proxy says the visitor is.
    `answer_seconds` collects, for each message, the time from first sending it to its answer.
    """

    port: int
    tally: Counter[str]
    timeout_seconds: float = 30.0
    streams: bool = False
    is_patient: bool = True
    longest_pause_seconds: float = 0.2
    address: str = ""
    answer_seconds: list[float] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def converse(self, chat: Chat) -> None:
        """Say everything this person has to say. Raises GaveUp."""
        try:
            opened = self._until_answered(lambda: self._open(chat))
            chat.session_id, chat.token = opened["session_id"], opened["token"]
            for text in chat.person.lines:
                said = Said(text)
                chat.said.append(said)
                began = time.monotonic()
                self._until_answered(lambda said=said: self._say(chat, said))  # type: ignore[misc]
                self.answer_seconds.append(time.monotonic() - began)
                time.sleep(random.uniform(0, self.longest_pause_seconds))
        except NotAnswered:
            self.tally["visitors who left"] += 1
        finally:
            self._hang_up()

    def ask_again(self, chat: Chat) -> None:
        """Repeat every message of a finished conversation: each has the answer it had."""
        try:
            for said in chat.said:
                before = said.answer
                self._until_answered(lambda said=said: self._say(chat, said))  # type: ignore[misc]
                if before and said.answer != before:
                    chat.problems.append(f"{said.text!r} got another answer when repeated")
        finally:
            self._hang_up()

    def _until_answered(self, ask: Any) -> Any:
        give_up_at = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while True:
            try:
                return ask()
            except NotAnswered as failure:
                self._hang_up()
                self.tally[str(failure)] += 1
                if not self.is_patient:
                    raise
                if time.monotonic() > give_up_at:
                    raise GaveUp from failure
                time.sleep(random.uniform(0.05, 0.3))

    def _open(self, chat: Chat) -> Any:
        response = self._post("/widget/demo/sessions", {"visitor_id": f"v-{chat.person.number}"})
        return self._json(response, expected=201)

    def _say(self, chat: Chat, said: Said) -> None:
        self.tally["requests"] += 1
        response = self._post(
            f"/widget/sessions/{chat.session_id}/messages",
            {"client_id": said.client_id, "text": said.text},
            {
                "Authorization": f"Bearer {chat.token}",
                "Accept": "text/event-stream" if self.streams else "application/json",
            },
        )
        if self.streams and response.status == 200:
            self._read_stream(response, chat, said)
            return
        answer = self._json(response, expected=200)
        said.stored = answer["messages"][0]
        _take_answer(chat, said, answer["messages"][1:], answer["completion_status"])

    def _read_stream(self, response: http.client.HTTPResponse, chat: Chat, said: Said) -> None:
        messages: list[dict[str, Any]] = []
        for name, data in self._events(response):
            if name == "message":
                messages.append(data)
                said.stored = messages[0]  # acknowledged, whatever comes after
            elif name == "problem":
                raise NotAnswered(f"status {data['status']}")
            elif name == "state":
                _take_answer(chat, said, messages[1:], data["completion_status"])
                with contextlib.suppress(OSError, http.client.HTTPException):
                    response.read()
                return
        raise NotAnswered("cut off")

    def _events(self, response: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
        name = ""
        while True:
            try:
                line = response.readline().decode().rstrip("\n")
            except TimeoutError as error:
                raise NotAnswered("timed out") from error
            except (OSError, http.client.HTTPException) as error:
                raise NotAnswered("cut off") from error
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])
            elif not line and response.isclosed():
                return

    def _post(
        self, path: str, data: object, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout_seconds
            )
        try:
            self._connection.request(
                "POST",
                path,
                json.dumps(data),
                {
                    "Content-Type": "application/json",
                    **({"X-Forwarded-For": self.address} if self.address else {}),
                    **(headers or {}),
                },
            )
            return self._connection.getresponse()
        except TimeoutError as error:
            raise NotAnswered("timed out") from error
        except ConnectionRefusedError as error:
            raise NotAnswered("refused") from error
        except (OSError, http.client.HTTPException) as error:
            raise NotAnswered("cut off") from error

    def _json(self, response: http.client.HTTPResponse, expected: int) -> Any:
        try:
            body = response.read()
        except TimeoutError as error:
            raise NotAnswered("timed out") from error
        except (OSError, http.client.HTTPException) as error:
            raise NotAnswered("cut off") from error
        if response.status != expected:
            raise NotAnswered(f"status {response.status}")
        return json.loads(body)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _take_answer(
    chat: Chat, said: Said, answers: list[dict[str, Any]], completion_status: str
) -> None:
    if len(answers) != 1 or said.stored is None:
        chat.problems.append(f"{said.text!r} got {len(answers)} answers")
        return
    if said.stored["text"] != said.text or said.stored["client_id"] != said.client_id:
        chat.problems.append(f"{said.text!r} came back as {said.stored['text']!r}")
    said.answer = answers[0]
    chat.is_completed = chat.is_completed or completion_status == "completed"
