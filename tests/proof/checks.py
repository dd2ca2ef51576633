"""What must hold afterwards: the database and the receiver against what the visitors know."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.proof.stage import Stage
from tests.proof.visitor import Chat

MOST_SHOWN = 3
MINUTE_SECONDS = 60.0


@dataclass(slots=True)
class Check:
    """A promise, how many things it was tested on, and those that broke it."""

    promise: str
    tested: int
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "kept" if not self.broken else f"BROKEN {len(self.broken)}"
        shown = "".join(f"\n      {line}" for line in self.broken[:MOST_SHOWN])
        return f"  {self.promise:<72}{self.tested:>7}  {verdict}{shown}"


@dataclass(slots=True)
class Found:
    """What the database says, by session."""

    completed: dict[str, bool]
    message_counts: dict[str, int]
    #: id, role, text, client_id, reply_to_id in their order
    lines: dict[str, list[tuple[int, str, str, str | None, int | None]]]
    leads: dict[str, list[tuple[Any, ...]]]


def check_all(stage: Stage, chats: list[Chat]) -> list[Check]:
    found = _read(stage)
    known = [chat for chat in chats if chat.session_id]
    return [
        _acknowledged_is_stored(found, known),
        _stored_once(found),
        _answered_once(found),
        _in_order(found, known),
        _counted(found),
        _told_what_is_stored(found, known),
        _completed_as_told(found, known),
        _one_lead_each(found),
        _leads_are_their_own(found, known),
        _ids_equal_completed_sessions(stage, found),
        _same_body_every_time(stage),
        _signed(stage),
        _whole_transcripts(stage, found),
        _delivered(stage),
        _within_a_minute(stage, "message is answered", _ANSWER_SECONDS),
        _within_a_minute(stage, "delivery cut off is tried again", _PICK_UP_SECONDS),
    ]


def _read(stage: Stage) -> Found:
    sessions = stage.query(
        "SELECT id::text, completion_status = 'completed', message_count FROM chat_sessions"
    )
    found = Found(
        {row[0]: row[1] for row in sessions}, {row[0]: row[2] for row in sessions}, {}, {}
    )
    found.lines = defaultdict(list)
    found.leads = defaultdict(list)
    for row in stage.query(
        "SELECT session_id::text, id, role, text, client_id::text, reply_to_id"
        "  FROM messages ORDER BY created_at, id"
    ):
        found.lines[row[0]].append(row[1:])
    for row in stage.query("SELECT session_id::text, name, email, phone FROM leads"):
        found.leads[row[0]].append(row[1:])
    return found


def _acknowledged_is_stored(found: Found, chats: list[Chat]) -> Check:
    stored = {(s, row[3]): row[2] for s, rows in found.lines.items() for row in rows if row[3]}
    acknowledged = [(c, said) for c in chats for said in c.said if said.stored]
    broken = [
        f"{said.text!r} is stored as {stored.get((chat.session_id, said.client_id))!r}"
        for chat, said in acknowledged
        if stored.get((chat.session_id, said.client_id)) != said.text
    ]
    return Check("every acknowledged message is stored as it was said", len(acknowledged), broken)


def _stored_once(found: Found) -> Check:
    """Every line of a dialogue differs, so that a doubled one shows under a new id, too."""
    said = [(s, row) for s, rows in found.lines.items() for row in rows if row[1] == "visitor"]
    ids = Counter((session_id, row[3]) for session_id, row in said)
    texts = Counter((session_id, row[2]) for session_id, row in said)
    broken = [f"{key}: {n} times" for times in (ids, texts) for key, n in times.items() if n > 1]
    return Check("no message is stored twice", len(said), broken)


def _answered_once(found: Found) -> Check:
    tested, broken = 0, []
    for session_id, rows in found.lines.items():
        answered = Counter(row[4] for row in rows if row[1] == "assistant" and row[4])
        for row in rows:
            if row[1] == "visitor":
                tested += 1
                if answered[row[0]] != 1:
                    broken.append(f"message {row[0]} of {session_id}: {answered[row[0]]} answers")
    return Check("every stored message has exactly one answer", tested, broken)


def _in_order(found: Found, chats: list[Chat]) -> Check:
    """Each visitor waits for an answer before the next line, so the two take turns."""
    broken = []
    for chat in chats:
        rows = found.lines[chat.session_id]
        talk = rows[[row[1] for row in rows].index("visitor") :] if len(rows) > 2 else []
        said = [row[2] for row in talk if row[1] == "visitor"]
        roles = [row[1] for row in talk]
        if said != list(chat.person.lines[: len(said)]):
            broken.append(f"{chat.session_id}: {said}")
        elif roles != ["visitor", "assistant"] * (len(roles) // 2):
            broken.append(f"{chat.session_id}: {roles}")
    return Check("every conversation is in order, question and answer", len(chats), broken)


def _counted(found: Found) -> Check:
    broken = [
        f"{session_id}: counted {number}, has {len(found.lines[session_id])}"
        for session_id, number in found.message_counts.items()
        if number != len(found.lines[session_id])
    ]
    return Check("every session's message count is right", len(found.message_counts), broken)


def _told_what_is_stored(found: Found, chats: list[Chat]) -> Check:
    tested, broken = 0, []
    for chat in chats:
        stored = {row[0]: row[2] for row in found.lines[chat.session_id]}
        for said in chat.said:
            if said.answer is not None:
                tested += 1
                if stored.get(said.answer["id"]) != said.answer["text"]:
                    broken.append(f"{chat.session_id} was told {said.answer}")
        broken += chat.problems
    return Check("every answer a visitor saw is the stored one, repeats too", tested, broken)


def _completed_as_told(found: Found, chats: list[Chat]) -> Check:
    told = [chat.session_id for chat in chats if chat.is_completed]
    broken = [session_id for session_id in told if not found.completed.get(session_id)]
    return Check("every visitor told of a booking has a completed session", len(told), broken)


def _one_lead_each(found: Found) -> Check:
    completed = [session_id for session_id, is_completed in found.completed.items() if is_completed]
    broken = [
        f"{session_id}: {len(found.leads[session_id])} leads"
        for session_id in completed
        if len(found.leads[session_id]) != 1
    ]
    return Check("every completed session has exactly one lead", len(completed), broken)


def _leads_are_their_own(found: Found, chats: list[Chat]) -> Check:
    completed = [chat for chat in chats if found.completed.get(chat.session_id)]
    broken = [
        f"{chat.person.contact} has the lead {found.leads[chat.session_id]}"
        for chat in completed
        if found.leads[chat.session_id] != [chat.person.contact]
    ]
    return Check("every lead is its own visitor's: name, e-mail, phone", len(completed), broken)


def _ids_equal_completed_sessions(stage: Stage, found: Found) -> Check:
    completed = {session_id for session_id, is_completed in found.completed.items() if is_completed}
    sessions_of_id: dict[str, str] = {}
    broken = []
    for taken in stage.receiver.taken:
        if taken.data["type"] == "lead.completed":
            session_id = taken.data["data"]["session"]["id"]
            if sessions_of_id.setdefault(taken.webhook_id, session_id) != session_id:
                broken.append(f"{taken.webhook_id} came for two sessions")
        else:
            broken.append(f"{taken.data['type']} came unasked")
    times = Counter(sessions_of_id.values())
    broken += [f"{session_id} under {n} ids" for session_id, n in times.items() if n > 1]
    broken += [f"{session_id} never arrived" for session_id in completed - set(times)]
    broken += [f"{session_id} is not completed" for session_id in set(times) - completed]
    return Check(
        "the receiver's distinct ids equal the completed sessions", len(sessions_of_id), broken
    )


def _same_body_every_time(stage: Stage) -> Check:
    bodies: dict[str, set[str]] = defaultdict(set)
    for taken in stage.receiver.taken:
        bodies[taken.webhook_id].add(taken.body)
    broken = [webhook_id for webhook_id, seen in bodies.items() if len(seen) > 1]
    return Check("every repeat of a webhook has the body of the first", len(bodies), broken)


def _signed(stage: Stage) -> Check:
    taken = stage.receiver.taken
    broken = [one.webhook_id for one in taken if not one.is_signed]
    return Check("every webhook's signature verifies", len(taken), broken)


def _whole_transcripts(stage: Stage, found: Found) -> Check:
    """The webhook has all that was said up to the answer that completed the session."""
    latest = {taken.webhook_id: taken.data["data"] for taken in stage.receiver.taken}
    broken = []
    for webhook_id, data in latest.items():
        sent = [(line["role"], line["text"]) for line in data["transcript"]]
        until = data["session"]["completion"]["message_id"]
        rows = [row for row in found.lines[data["session"]["id"]] if row[0] <= until]
        if sent != [(row[1], row[2]) for row in rows]:
            broken.append(f"{webhook_id}: {sent}")
    return Check("every webhook's transcript is whole and its own", len(latest), broken)


def _delivered(stage: Stage) -> Check:
    rows = stage.query("SELECT id::text, status FROM deliveries")
    broken = [f"{row[0]} is {row[1]}" for row in rows if row[1] != "delivered"]
    return Check("every delivery ended delivered", len(rows), broken)


_ANSWER_SECONDS = """
    SELECT v.id::text, extract(epoch FROM a.created_at - v.created_at)::float
      FROM messages a JOIN messages v ON v.id = a.reply_to_id
"""
_PICK_UP_SECONDS = """
    SELECT delivery_id::text, extract(epoch FROM next_at - at)::float
      FROM (SELECT delivery_id, at, error,
                   lead(at) OVER (PARTITION BY delivery_id ORDER BY at) AS next_at
              FROM delivery_attempts) AS tries
     WHERE error = 'interrupted'
"""


def _within_a_minute(stage: Stage, what: str, statement: str) -> Check:
    rows = stage.query(statement)
    longest = max((row[1] for row in rows), default=0.0)
    broken = [f"{row[0]} took {row[1]:.1f} s" for row in rows if row[1] > MINUTE_SECONDS]
    return Check(f"every {what} within a minute (longest {longest:.1f} s)", len(rows), broken)
