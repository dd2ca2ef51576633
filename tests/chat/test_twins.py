"""Which row of N8n's memory is which line of a widget session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from app.chat.twins import Row, Stored, Twin, match

SOURCE = 7
START = datetime(2026, 3, 1, tzinfo=UTC)


class Chat:
    """A widget session, line by line. `bring` gives what each row is, in few words."""

    def __init__(self) -> None:
        self.messages: list[Stored] = []
        self._ids = count(1)

    def says(self, role: str, words: str, *, is_own: bool = True) -> Stored:
        number = next(self._ids)
        at = START + timedelta(seconds=number)
        is_typed = is_own and role == "visitor"
        message = Stored(number, role, words, at, is_own=is_own, is_typed=is_typed)  # type: ignore[arg-type]
        self.messages.append(message)
        return message

    def visitor(self, words: str) -> Stored:
        return self.says("visitor", words)

    def assistant(self, words: str) -> Stored:
        return self.says("assistant", words)

    def bring(self, *rows: tuple[int, str, str], waiting: int | None = None) -> list[Twin]:
        """As ingest does it: what is new is a message with its row from now on."""
        asked = [Row(number, role, words) for number, role, words in rows]  # type: ignore[arg-type]
        twins = match(asked, self.messages, SOURCE, waiting)
        for row, twin in zip(asked, twins, strict=True):
            if twin.kind == "new":
                made = self.says(row.role, row.text, is_own=twin.is_awaited)
                made.source_id, made.source_row = SOURCE, row.number
        return twins


def kinds(twins: list[Twin]) -> list[str]:
    return [twin.kind for twin in twins]


def test_the_lines_of_a_turn_are_linked() -> None:
    chat = Chat()
    hi, hello = chat.visitor("Hi"), chat.assistant("Hello!")
    twins = chat.bring((1, "visitor", "Hi"), (2, "assistant", "Hello!"))
    assert [twin.message for twin in twins] == [hi, hello]
    assert (hello.source_id, hello.source_row) == (SOURCE, 2)


def test_what_a_line_is_dressed_in_does_not_matter() -> None:
    chat = Chat()
    chat.visitor("It’s  fine")
    chat.assistant("**All** noted.\n")
    twins = chat.bring((1, "visitor", "It's fine "), (2, "assistant", "All noted.   "))
    assert kinds(twins) == ["link", "link"]


def test_the_same_words_of_another_role_are_another_line() -> None:
    chat = Chat()
    chat.visitor("Hello")
    assert kinds(chat.bring((1, "assistant", "Hello"))) == ["new"]


def test_equal_lines_are_linked_one_by_one() -> None:
    chat = Chat()
    first, _, second, _ = (
        chat.visitor("yes"),
        chat.assistant("Sure?"),
        chat.visitor("yes"),
        chat.assistant("Sure?"),
    )
    twins = chat.bring(
        (1, "visitor", "yes"),
        (2, "assistant", "Sure?"),
        (3, "visitor", "yes"),
        (4, "assistant", "Sure?"),
    )
    assert kinds(twins) == ["link"] * 4
    assert (first.source_row, second.source_row) == (1, 3)


def test_what_only_n8n_wrote_is_new() -> None:
    chat = Chat()
    chat.visitor("Hi")
    chat.assistant("Hello!")
    twins = chat.bring(
        (1, "visitor", "Hi"),
        (2, "assistant", "Let me look that up."),
        (3, "assistant", "Hello!"),
        (4, "visitor", "(from another channel)"),
        (5, "system", "A note"),
    )
    assert kinds(twins) == ["link", "new", "link", "new", "new"]


def test_a_visitors_repeated_words_that_only_n8n_has_are_two_lines() -> None:
    chat = Chat()
    chat.visitor("Hi")
    twins = chat.bring((1, "visitor", "ok"), (2, "visitor", "ok"))
    assert kinds(twins) == ["new", "new"]


def test_asked_again_after_a_crash_with_the_same_answer_nothing_is_doubled() -> None:
    chat = Chat()
    chat.visitor("Hi")
    chat.assistant("Hello!")
    twins = chat.bring(
        (1, "visitor", "Hi"),
        (2, "assistant", "Hello!"),
        (3, "visitor", "Hi"),
        (4, "assistant", "Hello!"),
    )
    assert kinds(twins) == ["link", "link", "duplicate", "duplicate"]


def test_asked_again_after_a_crash_with_another_answer_the_question_is_there_once() -> None:
    chat = Chat()
    chat.visitor("Hi")
    shown = chat.assistant("Good day!")
    twins = chat.bring(
        (1, "visitor", "Hi"),
        (2, "assistant", "Hello!"),
        (3, "visitor", "Hi"),
        (4, "assistant", "Good day!"),
    )
    assert kinds(twins) == ["link", "new", "duplicate", "link"]
    assert twins[3].message is shown


def test_the_second_asking_is_known_when_it_is_read_later() -> None:
    chat = Chat()
    chat.visitor("Hi")
    chat.assistant("Hello!")
    chat.bring((1, "visitor", "Hi"), (2, "assistant", "Hello!"))
    assert kinds(chat.bring((3, "visitor", "Hi"))) == ["duplicate"]
    assert kinds(chat.bring((4, "assistant", "Hello!"))) == ["duplicate"]


def test_the_same_answer_to_a_new_question_is_a_line_of_its_own() -> None:
    chat = Chat()
    chat.visitor("Hi")
    chat.assistant("Hello!")
    chat.visitor("Hello?")
    twins = chat.bring(
        (1, "visitor", "Hi"),
        (2, "assistant", "Hello!"),
        (3, "visitor", "Hello?"),
        (4, "assistant", "Hello!"),
    )
    assert kinds(twins) == ["link", "link", "link", "new"]


def test_a_greeting_of_ours_is_not_taken_for_an_answer() -> None:
    chat = Chat()
    greeting = chat.assistant("How can I help?")
    chat.visitor("Hm")
    answer = chat.assistant("How can I help?")
    twins = chat.bring((1, "visitor", "Hm"), (2, "assistant", "How can I help?"))
    assert twins[1].message is answer
    assert greeting.source_row is None


def test_a_greeting_that_n8n_noted_is_linked() -> None:
    chat = Chat()
    greeting = chat.assistant("How can I help?")
    chat.visitor("Hm")
    twins = chat.bring((1, "assistant", "How can I help?"), (2, "visitor", "Hm"))
    assert twins[0].message is greeting


def test_a_row_of_an_earlier_life_of_the_table_repeats_nothing() -> None:
    chat = Chat()
    chat.visitor("Hi")
    old = chat.assistant("Hello!")
    old.source_id, old.source_row = SOURCE - 1, 2
    chat.visitor("Again")
    twins = chat.bring((3, "visitor", "Again"), (4, "assistant", "Hello!"))
    assert kinds(twins) == ["link", "new"]


def test_a_new_answer_is_awaited_when_its_question_waits() -> None:
    chat = Chat()
    chat.visitor("Hi")
    chat.assistant("Hello!")
    second = chat.visitor("Prices?")
    rows = (
        (1, "visitor", "Hi"),
        (2, "assistant", "Late to the first question."),
        (3, "visitor", "Prices?"),
        (4, "assistant", "From 10 pounds."),
        (5, "visitor", "Prices?"),
        (6, "assistant", "From 10 pounds."),
        (7, "assistant", "Or more."),
    )
    twins = chat.bring(*rows, waiting=second.id)
    assert [twin.is_awaited for twin in twins] == [False] * 3 + [True] + [False] * 3
    assert kinds(twins) == ["link", "new", "link", "new", "duplicate", "duplicate", "new"]


def test_a_line_that_n8n_alone_says_twice_is_there_twice() -> None:
    chat = Chat()
    chat.visitor("Hi")
    rows = ((1, "visitor", "Hi"), (2, "assistant", "Well?"), (3, "assistant", "Well?"))
    assert kinds(chat.bring(*rows)) == ["link", "new", "new"]
    assert kinds(chat.bring((4, "assistant", "Well?"))) == ["new"]
