"""Answers in several rounds, in markdown or too late: which row of N8n's memory is which line."""

from __future__ import annotations

import pytest

from app.assistants.readable import readable
from tests.chat.test_twins import Chat, kinds

SORRY = "Sorry, I could not answer that properly just now. What is your name?"
ROUNDS = "Let me look that up.\n\nWe open at 9."


def test_an_answer_in_several_rounds_is_one_line() -> None:
    chat = Chat()
    chat.visitor("When?")
    shown = chat.assistant(ROUNDS)
    rows = (
        (1, "visitor", "When?"),
        (2, "assistant", "Let me look that up."),
        (4, "assistant", "We open at **9**. "),
    )
    twins = chat.bring(*rows)
    assert kinds(twins) == ["link", "link", "duplicate"]
    assert (twins[1].message, shown.source_row) == (shown, 2)


def test_a_later_round_that_is_read_later_is_known() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    chat.bring((1, "visitor", "When?"), (2, "assistant", "Let me look that up."))
    assert kinds(chat.bring((4, "assistant", "We open at 9."))) == ["duplicate"]


def test_of_an_answer_in_rounds_perhaps_only_the_last_was_noted() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    twins = chat.bring((1, "visitor", "When?"), (2, "assistant", "We open at 9."))
    assert kinds(twins) == ["link", "link"]


def test_a_round_may_have_paragraphs_of_its_own() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant("Well.\n\nLet me look.\n\nWe open at 9.\n\nSee you!")
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "Well.\n\nLet me look."),
        (4, "assistant", "We open at 9.\n\nSee you!"),
    )
    assert kinds(twins) == ["link", "link", "duplicate"]


def test_rounds_that_are_asked_for_twice_are_there_once() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    rounds = ((0, "assistant", "Let me look that up."), (2, "assistant", "We open at 9."))
    rows = [(1, "visitor", "When?"), (5, "visitor", "When?")]
    rows += [(start + at, role, words) for start in (2, 6) for at, role, words in rounds]
    assert kinds(chat.bring(*sorted(rows))) == ["link", "link", "duplicate"] + ["duplicate"] * 3


def test_the_same_rounds_to_two_questions_are_told_apart() -> None:
    chat = Chat()
    shown = []
    for _ in range(2):
        chat.visitor("When?")
        shown.append(chat.assistant(ROUNDS))
    chat.visitor("Thanks")
    last = chat.assistant("We open at 9.")
    rows = []
    for start in (1, 5):
        rows += [
            (start, "visitor", "When?"),
            (start + 1, "assistant", "Let me look that up."),
            (start + 3, "assistant", "We open at 9."),
        ]
    rows += [(9, "visitor", "Thanks"), (10, "assistant", "We open at 9.")]
    twins = chat.bring(*rows)
    assert kinds(twins) == ["link", "link", "duplicate"] * 2 + ["link", "link"]
    assert [each.source_row for each in shown] == [2, 6]
    assert twins[-1].message is last


def test_rounds_to_two_questions_typed_at_once_are_found() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.visitor("And where?")
    first, second = chat.assistant(ROUNDS), chat.assistant("One moment.\n\nAt the harbour.")
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "Let me look that up."),
        (3, "assistant", "We open at 9."),
        (4, "visitor", "And where?"),
        (5, "assistant", "One moment."),
        (6, "assistant", "At the harbour."),
    )
    assert kinds(twins) == ["link", "link", "duplicate"] * 2
    assert (twins[1].message, twins[4].message) == (first, second)


def test_what_n8n_says_beside_the_rounds_is_new() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "Let me look that up."),
        (3, "assistant", "Only N8n knows."),
        (4, "assistant", "We open at 9."),
        (5, "visitor", "Elsewhere"),
        (6, "assistant", "We open at 9."),
    )
    assert kinds(twins) == ["link", "link", "new", "duplicate", "new", "new"]


def test_markdown_is_known_in_its_readable_form() -> None:
    chat = Chat()
    chat.visitor("Prices?")
    written = "# Prices\n\n* Kitchen: *from* 10\n* [Bath](https://example.com/bath)\n\n1) Call `us`"
    shown = chat.assistant(readable(written).strip())
    twins = chat.bring((1, "visitor", "Prices?"), (2, "assistant", written))
    assert kinds(twins) == ["link", "link"]
    assert twins[1].message is shown


def test_a_late_answer_is_new_and_takes_no_other_answers_place() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant("Sorry, I could not answer that properly just now. What is your name?")
    chat.visitor("Ann")
    thanks = chat.assistant("Thank you, Ann!")
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "We open at 9."),
        (3, "visitor", "Ann"),
        (4, "assistant", "Thank you, Ann!"),
    )
    assert kinds(twins) == ["link", "new", "link", "link"]
    assert twins[3].message is thanks
    assert kinds(chat.bring((5, "assistant", "See you."))) == ["new"]


def test_rounds_are_known_where_the_same_was_asked_before_and_not_answered_by_n8n() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant("Sorry, I could not answer that properly just now. What is your name?")
    chat.visitor("When?")
    shown = chat.assistant(ROUNDS)
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "Let me look that up."),
        (3, "assistant", "We open at 9."),
    )
    assert kinds(twins) == ["link", "link", "duplicate"]
    assert twins[1].message is shown


def test_a_whole_answer_is_no_round_of_a_later_one_to_the_same_question() -> None:
    chat = Chat()
    chat.visitor("When?")
    first = chat.assistant("We open at 9.")
    chat.visitor("When?")
    second = chat.assistant(ROUNDS)
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "We open at 9."),
        (3, "visitor", "When?"),
        (4, "assistant", "Let me look that up."),
        (5, "assistant", "We open at 9."),
    )
    assert kinds(twins) == ["link", "link", "link", "link", "duplicate"]
    assert (twins[1].message, twins[3].message) == (first, second)


def test_a_question_goes_with_the_answer_that_n8n_noted_after_it() -> None:
    """The first was never noted; what is said after it must not look for rounds there."""
    chat = Chat()
    unheard = chat.visitor("Yes")
    chat.assistant(SORRY)
    chat.visitor("And a garden")
    chat.assistant("Noted.")
    heard = chat.visitor("Yes")
    chat.assistant(ROUNDS)
    assert kinds(chat.bring((1, "visitor", "And a garden"), (2, "assistant", "Noted."))) == [
        "link",
        "link",
    ]
    twins = chat.bring(
        (3, "visitor", "Yes"),
        (4, "assistant", "Let me look that up."),
        (5, "assistant", "We open at 9."),
    )
    assert kinds(twins) == ["link", "link", "duplicate"]
    assert twins[0].message is heard
    assert unheard.source_row is None


def test_an_answer_that_never_arrived_is_no_round_of_the_next_one() -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(SORRY)
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    assert kinds(chat.bring((1, "visitor", "When?"), (2, "assistant", "We open at 9."))) == [
        "link",
        "new",
    ]
    twins = chat.bring(
        (3, "visitor", "When?"),
        (4, "assistant", "Let me look that up."),
        (5, "assistant", "We open at 9."),
    )
    assert kinds(twins) == ["link", "link", "duplicate"]


def test_of_three_askings_each_goes_with_its_own_answer() -> None:
    chat = Chat()
    asked = []
    for answer in (SORRY, "We open at 9.", ROUNDS):
        asked.append(chat.visitor("When?"))
        chat.assistant(answer)
    twins = chat.bring(
        (1, "visitor", "When?"),
        (2, "assistant", "We open at 9."),
        (3, "visitor", "When?"),
        (4, "assistant", "We open at 9."),
        (5, "visitor", "When?"),
        (6, "assistant", "Let me look that up."),
        (7, "assistant", "We open at 9."),
    )
    assert sorted(kinds(twins[1:4:2])) == ["link", "new"], (
        "which of two equal lines is all the same"
    )
    assert kinds(twins[4:]) == ["link", "link", "duplicate"]
    assert [twins[at].message for at in (0, 2, 4)] == asked


@pytest.mark.parametrize("cut", [1, 2])
def test_an_answer_that_is_read_in_two_pieces_is_found(cut: int) -> None:
    chat = Chat()
    chat.visitor("When?")
    chat.assistant(SORRY)
    chat.visitor("When?")
    chat.assistant(ROUNDS)
    rows = [
        (1, "visitor", "When?"),
        (2, "assistant", "Let me look that up."),
        (3, "assistant", "We open at 9."),
    ]
    twins = [*chat.bring(*rows[:cut]), *chat.bring(*rows[cut:])]
    assert kinds(twins) == ["link", "link", "duplicate"]
