"""Many visitors at once: nobody gets an error, and nobody gets what is another's."""

from __future__ import annotations

import threading
import time
from collections import Counter

from tests.proof.checks import check_all
from tests.proof.people import Person
from tests.proof.stage import stage
from tests.proof.visitor import Chat, GaveUp, Visitor

SETTLES_WITHIN_SECONDS = 90.0


def run(number: int) -> bool:
    """So many conversations at the same time; prints what happened. True when all went well."""
    chats = [Chat(Person(n)) for n in range(number)]
    tally: Counter[str] = Counter()
    all_here = threading.Barrier(number)
    with stage() as place, place.product():
        threads = [
            threading.Thread(
                target=_converse, args=(chat, place.port, tally, all_here), daemon=True
            )
            for chat in chats
        ]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - started
        place.wait_until_settled(SETTLES_WITHIN_SECONDS)
        checks = check_all(place, chats)
    requests = tally.pop("requests")
    unfinished = [chat.person.name for chat in chats if not chat.is_completed]
    foreign = [line for chat in chats for line in _foreign_lines(chat, chats)]
    print(f"{number} conversations at once, {requests} messages in {seconds:.1f} s")
    print(f"  errors: {dict(tally) or 'none'}; not completed: {unfinished or 'none'}")
    print(f"  answers that name another visitor: {foreign or 'none'}")
    for check in checks:
        print(check)
    return not (tally or unfinished or foreign or any(check.broken for check in checks))


def _converse(chat: Chat, port: int, tally: Counter[str], all_here: threading.Barrier) -> None:
    visitor = Visitor(
        port,
        tally,
        streams=chat.person.number % 2 == 0,
        is_patient=False,
        longest_pause_seconds=0.05,
    )
    all_here.wait()
    try:
        visitor.converse(chat)
    except GaveUp:
        tally["gave up"] += 1


def _foreign_lines(chat: Chat, chats: list[Chat]) -> list[str]:
    others = {other.person.surname for other in chats} - {chat.person.surname}
    return [
        said.answer["text"]
        for said in chat.said
        if said.answer and any(name in said.answer["text"] for name in others)
    ]
