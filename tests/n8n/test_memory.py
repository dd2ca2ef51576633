"""What N8n's Postgres memory says beside what we know ourselves: every line once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.n8n import talk
from tests.n8n.conftest import until
from tests.n8n.house import IS_READ, LINES, House, chat_path
from tests.n8n.visitor import OutsideChat, WidgetChat

OF_THE_WIDGET = 40
FROM_OUTSIDE = 10
AT_ONCE = 6
TURNS = 5
#: Each conversation asks once for the opening hours: the call and its result are rows, too.
ROWS = 2 * TURNS + 2


def test_fifty_conversations_are_stored_line_by_line_without_doubles(taken: House) -> None:
    taken.model.otherwise = talk.answer
    [(before,)] = taken.query("SELECT count(*) FROM chat_sessions")
    widget = [taken.chat() for _ in range(OF_THE_WIDGET)]
    outside = [OutsideChat(taken, chat_path()) for _ in range(FROM_OUTSIDE)]
    chats: list[WidgetChat | OutsideChat] = [*widget, *outside]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_converse, chats, range(len(chats))))
    assert all(chat.is_completed for chat in widget)

    until(lambda: taken.query(IS_READ) == [(True,)])
    _check(taken, chats, before)
    taken.flask("sync")
    taken.flask("doctor")
    _check(taken, chats, before)
    taken.show("conversations are stored line by line as they were said", len(chats))
    taken.show("rows of N8n's memory read, none doubled, none set aside", len(chats) * ROWS)

    taken.taker.wait_for(len(chats), within_seconds=120)
    told = Counter(request.event["email"] for request in taken.taker.received)
    assert told == Counter(_email(number) for number in range(len(chats)))
    taken.show("each of their leads is delivered and handed on in N8n once", len(chats))


def _converse(chat: WidgetChat | OutsideChat, number: int) -> None:
    for text in (
        "Hi, when are you open?",
        "ok",
        "ok",
        f"My name is Visitor {chr(65 + number % 26)}{chr(97 + number // 26)}nders",
        _email(number),
    ):
        chat.say(text)


def _email(number: int) -> str:
    return f"visitor{number}@example.com"


def _check(house: House, chats: list[WidgetChat | OutsideChat], before: int) -> None:
    """Our transcripts against what the visitors saw, and N8n's rows against both."""
    rows = dict(
        house.query(
            "SELECT split_part(session_id, '__', 1), count(*) FROM n8n_chat_histories GROUP BY 1"
        )
    )
    for chat in chats:
        key = chat.session_id
        assert house.query(LINES, key, key) == chat.seen
        assert rows[key] == ROWS
    assert house.query("SELECT count(*) FROM chat_sessions") == [(before + len(chats),)]
    assert house.query("SELECT count(*) FROM memory_rows_set_aside") == [(0,)]
