"""Layer 4: a person wants everything looked at again.

First every table of N8n's memory from its first row, then every session in progress. It is done
in steps; each step is one transaction that also notes how far the run has come, so a run that is
left or killed goes on where it was, and what it has found is counted once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.completion import layers
from app.core.db import transaction
from app.models import Run
from app.models.run import MANUAL_SYNC
from app.runs import engine
from app.runs.engine import ClaimedRun
from app.sync import memory, runs, sources
from app.sync.failures import SourceFailed
from app.sync.manual_judging import CAUSE, FIRST, count_open, judge_chunk
from app.sync.report import ReadReport

#: A batch in which every conversation completes still takes well below a heartbeat's time.
BATCH_ROWS = 3000
#: A table that began anew is first read as a new one, for so long at a time.
NEW_LIFE_SECONDS = 5.0


def work(
    run_id: uuid.UUID, should_stop: Callable[[], bool] = lambda: False, *, is_job: bool = False
) -> bool:
    """Do the run, from where it was left, to its end. False: it was left, or is not ours to do."""
    return engine.work(MANUAL_SYNC, run_id, _step, should_stop, is_job=is_job)


@dataclass(frozen=True, slots=True)
class Place:
    """A table and the last of its rows that was read again; `highest` when the run began."""

    id: int
    table: str
    highest: int = 0
    after: int = 0
    is_done: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run has come. `sessions`: how many were in progress when it began; `judged`: how
    many of them were looked at, the last of them `through`.
    """

    places: tuple[Place, ...]
    sessions: int
    judged: int = 0
    through: uuid.UUID = FIRST

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Position:
        places = tuple(Place(**each) for each in value["places"])
        through = uuid.UUID(value["through"])
        return cls(places, value["sessions"], value["judged"], through)

    def to_json(self) -> dict[str, Any]:
        places = [{name: getattr(each, name) for name in Place.__slots__} for each in self.places]
        return {
            "places": places,
            "sessions": self.sessions,
            "judged": self.judged,
            "through": str(self.through),
        }

    def progress(self) -> float:
        """From 0 to just below 1: only the end is the end."""
        rows = sum(place.highest for place in self.places)
        read = sum(
            place.highest if place.is_done else min(place.after, place.highest)
            for place in self.places
        )
        total = rows + self.sessions
        return min((read + min(self.judged, self.sessions)) / total, 0.99) if total else 0.0

    def error(self) -> str | None:
        failed = [f"{place.table}: {place.error}" for place in self.places if place.error]
        if not failed:
            return None
        return f"{' '.join(failed)} Everything else was looked at."

    def at(self, place: Place) -> Position:
        """With this place in the stead of its table's."""
        places = tuple(place if each.table == place.table else each for each in self.places)
        return replace(self, places=places)


def _step(run: ClaimedRun) -> bool:
    """One step of the work. False: nothing was left, and the run has ended."""
    with transaction() as session:
        stored = runs.one(session, run.id).position
    position = Position.from_json(stored) if stored else _plan()
    place = next((each for each in position.places if not each.is_done), None)
    if place is not None:
        _read(run, position, place)
        return True
    if layers.is_active(CAUSE) and _judge(run, position):
        return True
    with transaction() as session:
        engine.finish(run.lock(session), position.error())
    return False


def _read(run: ClaimedRun, position: Position, place: Place) -> None:
    def then(session: Session, found: ReadReport, last: int | None) -> None:
        after = place.after if last is None else last
        moved = replace(place, after=after, is_done=last is None)
        _note(run.lock(session), position.at(moved), found)

    try:
        _, last = memory.read_batch(place.id, place.after, BATCH_ROWS, CAUSE, then)
    except SourceFailed as error:
        _keep(run, position.at(replace(place, is_done=True, error=str(error))))
        return
    if last is None and place.after == 0 and place.highest:
        _begin_anew(run, position, place)


def _begin_anew(run: ClaimedRun, position: Position, place: Place) -> None:
    """The table is not the one we knew: have it taken for a new one, and read that."""
    found = memory.read_new(NEW_LIFE_SECONDS, cause=CAUSE)
    with transaction() as session:
        now = {each.table: each.id for each in sources.current(session)}
    source_id = now.get(place.table, place.id)
    if source_id != place.id:
        anew = position.at(replace(place, id=source_id))
        _keep(run, anew, replace(found, rows_read=0, set_aside=0))


def _judge(run: ClaimedRun, position: Position) -> bool:
    with transaction() as session:
        judged = judge_chunk(session, position.through)
        if judged.through is None:
            return False
        after = replace(position, through=judged.through, judged=position.judged + judged.sessions)
        _note(run.lock(session), after, judged.found)
    return True


def _keep(run: ClaimedRun, position: Position, found: ReadReport | None = None) -> None:
    with transaction() as session:
        _note(run.lock(session), position, found or ReadReport())


def _note(run: Run, position: Position, found: ReadReport) -> None:
    """How far the run has come and what was found since the last note, in the transaction that did
    the work, so that both stand or neither.
    """
    counts = asdict(found)
    run.position, run.progress = position.to_json(), position.progress()
    run.report = {name: run.report.get(name, 0) + counts[name] for name in runs.COUNTS}


def _plan() -> Position:
    with transaction() as session:
        found = sources.current(session)
        sessions = count_open(session) if layers.is_active(CAUSE) else 0
    return Position(tuple(_place(each.id, each.table) for each in found), sessions)


def _place(source_id: int, table: str) -> Place:
    try:
        return Place(source_id, table, memory.highest_row(source_id) or 0)
    except SourceFailed as error:
        return Place(source_id, table, is_done=True, error=str(error))
