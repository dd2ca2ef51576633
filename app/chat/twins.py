"""A widget session answered by N8n has the same lines in both places: which row is which line.

Pure. Rows come in their source's order and are compared by what they say, not how it is dressed.
What an agent said in several rounds, with tools in between, is one line here and several rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from app.assistants.readable import readable
from app.chat.twin_questions import first_of_best
from app.completion.plain_text import plain, plain_ascii
from app.models.transcript import Role

#: What parts the rounds of an answer in our own line.
_ROUND_BREAK = "\n\n"
#: More paragraphs are not looked at one by one.
_MOST_ROUNDS = 50
#: Nor are more questions in the same words.
_MOST_ALIKE = 40


@dataclass(slots=True)
class Stored:
    """A message as it is stored. `is_own`: somebody else than N8n's memory wrote it, too;
    `is_typed`: the visitor typed it into the widget.
    """

    id: int
    role: Role
    text: str
    created_at: datetime
    field: str | None = None
    source_id: int | None = None
    source_row: int | None = None
    is_own: bool = False
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Twin:
    """`link`: the row says what `message` says. `duplicate`: it repeats what is there. `new`: only
    N8n wrote it; `is_awaited`: it is the answer a visitor waits for.
    """

    kind: Literal["link", "duplicate", "new"]
    message: Stored | None = None
    is_awaited: bool = False


def said(text: str) -> str:
    """What two copies of one line have in common."""
    simple = plain_ascii(text)
    return (plain(text).text if simple is None else simple).strip() or text.strip()


def match(
    rows: Sequence[Row], messages: Sequence[Stored], source_id: int, waiting: int | None = None
) -> list[Twin]:
    """What each of these new rows of one session is. `messages`: its whole transcript, oldest
    first; those that turn out to have a row are given it (`source_id`, `source_row`).

    `waiting`: the visitor's message that nobody has answered and nobody is answering.
    """
    session = _Session(messages, source_id, waiting)
    session.listen(rows)
    return [session.take(row) for row in rows]


class _Session:
    """What is known of a session, row by row."""

    def __init__(self, messages: Sequence[Stored], source_id: int, waiting: int | None) -> None:
        self._source_id = source_id
        self._waiting = waiting
        self._equals: dict[tuple[Role, str], list[Stored]] = {}
        for message in messages:
            self._equals.setdefault((message.role, said(message.text)), []).append(message)
        self._places = {each.id: at for at, each in enumerate(messages)}
        self._messages = messages
        self._rounds: dict[int, set[str]] = {}
        #: What these rows ask, and what N8n noted as answers to it; by the question's row.
        self._words: dict[int, str] = {}
        self._noted: dict[int, list[str]] = {}
        first = next((at for at, each in enumerate(messages) if each.role == "visitor"), 0)
        self._opening = {each.id for each in messages[:first]}
        #: The visitor's lines that have a row, or came as one: (row, message id).
        self._spoken = [
            (each.source_row, each.id)
            for each in messages
            if each.role == "visitor"
            and each.source_id == source_id
            and each.source_row is not None
        ]

    def listen(self, rows: Sequence[Row]) -> None:
        """Note which answers follow which question; one that was noted twice is one question."""
        asked, answers = "", list[str]()
        for row in rows:
            if row.role == "visitor":
                words = said(row.text)
                asked, answers = words, answers if words == asked and not answers else []
                self._words[row.number], self._noted[row.number] = words, answers
            elif row.role == "assistant":
                answers.append(said(readable(row.text)))

    def take(self, row: Row) -> Twin:
        before = max((each for each in self._spoken if each[0] < row.number), default=None)
        if before is not None and (whole := self._answer_with(row, before[1])):
            if whole.source_row is None:
                whole.source_id, whole.source_row = self._source_id, row.number
                return Twin("link", whole)
            if self._stands_right_before(row, whole):
                return Twin("duplicate")
        equals = self._equals.setdefault(self._key(row), [])
        message = self._without_row(row, equals, has_visitor_spoken=before is not None)
        if message is not None:
            message.source_id, message.source_row = self._source_id, row.number
            twin = Twin("link", message)
        elif self._is_repeated(row, equals):
            return Twin("duplicate")
        else:
            is_awaited = (
                row.role == "assistant"
                and before is not None
                and before[1] == self._waiting  # a row that is new itself has the id 0
            )
            if is_awaited:
                self._waiting = None
            message = Stored(0, row.role, row.text, _NEVER, None, self._source_id, row.number)
            message.is_own = is_awaited
            equals.append(message)
            twin = Twin("new", is_awaited=is_awaited)
        if row.role == "visitor":
            self._spoken.append((row.number, message.id))
        return twin

    def _key(self, row: Row) -> tuple[Role, str]:
        """What the row says as it stands, or else as it is shown to visitors."""
        key = (row.role, said(row.text))
        if row.role != "assistant" or key in self._equals:
            return key
        shown = (row.role, said(readable(row.text)))
        return shown if shown in self._equals else key

    def _answer_with(self, row: Row, question: int) -> Stored | None:
        """Our answer to this question that holds the row's words beside others.

        Its question may have been taken for an earlier one in the same words, when the answer was
        not read yet: a later one counts that has no row, and whose answer begins with these words.
        """
        if row.role != "assistant" or question not in self._places:
            return None
        words = said(readable(row.text))
        for message in self._answers_to(question):
            if message.source_row is None and said(message.text) == words:
                return None  # it is the whole of this answer, no round of another one
            if message.is_own and words in self._rounds_of(message):
                return message
        asked = self._messages[self._places[question]]
        for later in self._equals[asked.role, said(asked.text)]:
            if later.source_row is None and self._places.get(later.id, -1) > self._places[question]:
                for message in self._answers_to(later.id):
                    if message.is_own and self._is_next_round(row, words, message):
                        return message
        return None

    def _is_next_round(self, row: Row, words: str, message: Stored) -> bool:
        if words not in self._rounds_of(message):
            return False
        if message.source_row is not None:
            return self._stands_right_before(row, message)
        return " ".join(_paragraphs(message)).startswith(f"{words} ")

    def _answers_to(self, question: int) -> Iterator[Stored]:
        """What was said between this question's answer and the visitor's next line."""
        is_answered = False
        for message in self._messages[self._places[question] + 1 :]:
            if message.role == "visitor" and is_answered:
                return
            if message.role == "assistant":
                is_answered = True
                yield message

    def _rounds_of(self, message: Stored) -> set[str]:
        """What the rounds of an answer may have been: each may have paragraphs of its own."""
        if _ROUND_BREAK not in message.text:
            return set()
        if message.id not in self._rounds:
            paragraphs = _paragraphs(message)
            ends = range(1, len(paragraphs) + 1)
            runs = ((start, end) for end in ends for start in range(end))
            self._rounds[message.id] = {
                " ".join(paragraphs[start:end])
                for start, end in runs
                if end - start < len(paragraphs)
            }
        return self._rounds[message.id]

    def _without_row(
        self, row: Row, equals: Sequence[Stored], *, has_visitor_spoken: bool
    ) -> Stored | None:
        free = [message for message in equals if message.source_row is None]
        if row.role == "visitor":
            message = self._asked_by(row, free)
            return None if message is None or self._is_asked_twice(row, message) else message
        for message in free:
            # What greeted the visitor is no answer that N8n gave later on.
            if row.role != "assistant" or not (has_visitor_spoken and message.id in self._opening):
                return message
        return None

    def _asked_by(self, row: Row, questions: Sequence[Stored]) -> Stored | None:
        """Which of these questions, all in the row's words, N8n noted with it. Not all were noted,
        but those that were in their order: the answers that follow tell which.
        """
        linked = (each for each in self._spoken if each[0] < row.number)
        after = max((self._places.get(message_id, -1) for _, message_id in linked), default=-1)
        candidates = [
            (self._places.get(each.id, -1) > after, self._shown_after(each)) for each in questions
        ]
        noted = [self._noted.get(row.number, [])]
        for number in sorted(self._noted):
            is_same = number > row.number and self._words[number] == said(row.text)
            if is_same and self._noted[number] is not noted[-1]:
                noted.append(self._noted[number])
        chosen = first_of_best(noted[:_MOST_ALIKE], candidates[:_MOST_ALIKE])
        return None if chosen is None else questions[chosen]

    def _shown_after(self, question: Stored) -> list[list[str]]:
        """Our own answers to it, each by its paragraphs."""
        if question.id not in self._places:
            return []
        own = (answer for answer in self._answers_to(question.id) if answer.is_own)
        return [_paragraphs(answer) for answer in own]

    def _is_asked_twice(self, row: Row, message: Stored) -> bool:
        """Whether the row repeats the question right before it, which N8n had not answered yet,
        while `message` was said after an answer: it will have a row of its own.
        """
        before = max((each for each in self._spoken if each[0] < row.number), default=None)
        if before is None or before[1] not in self._places:
            return False
        start, end = self._places[before[1]], self._places[message.id]
        if said(self._messages[start].text) != said(row.text):
            return False
        is_answered = any(
            each.role == "assistant"
            and each.source_id == self._source_id
            and each.source_row is not None
            and before[0] < each.source_row < row.number
            for several in self._equals.values()
            for each in several
        )
        between = self._messages[start:end]
        return not is_answered and any(each.role == "assistant" for each in between)

    def _is_repeated(self, row: Row, equals: Sequence[Stored]) -> bool:
        """Asked again after a crash, N8n notes the question, and perhaps its answer, once more."""
        if row.role == "visitor":
            return any(message.is_typed for message in equals)
        return row.role == "assistant" and any(
            self._stands_right_before(row, message) for message in equals if message.is_own
        )

    def _stands_right_before(self, row: Row, message: Stored) -> bool:
        earlier = message.source_row
        if earlier is None or message.source_id != self._source_id or earlier >= row.number:
            return False
        return not any(earlier < number < row.number for number, _ in self._spoken)


def _paragraphs(message: Stored) -> list[str]:
    return [said(each) for each in message.text.split(_ROUND_BREAK, _MOST_ROUNDS)]


_NEVER = datetime.min.replace(tzinfo=UTC)
