"""Layer 4: a person wants everything looked at again.

First every table of N8n's memory from its first row, then every session in progress. It is done
in steps; each step is one transaction that also notes how far the run has come, so a run that is
left or killed goes on where it was, and what it has found is counted once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.completion import layers
from app.core import clock
from app.core.db import transaction
from app.sync import memory, runs, sources
from app.sync.failures import SourceFailed
from app.sync.manual_judging import CAUSE, FIRST, count_open, judge_chunk
from app.sync.report import ReadReport
from app.sync.runs import Taken

logger = logging.getLogger(__name__)

#: A batch in which every conversation completes still takes well below a sign of life's time.
BATCH_ROWS = 3000
#: A table that began anew is first read as a new one, for so long at a time.
NEW_LIFE_SECONDS = 5.0
WENT_WRONG = (
    "Something went wrong on our side. It has been recorded, and what was found until then is kept."
)


def work(
    run_id: uuid.UUID, should_stop: Callable[[], bool] = lambda: False, *, is_job: bool = False
) -> bool:
    """Do the run, from where it was left, to its end. False: it was left, or is not ours to do.

    `is_job`: where it is left or seems to be in other hands, a later job looks after it. A person
    who interrupts (Ctrl-C) leaves it so that anybody can go on at once.
    """
    runner = uuid.uuid4()
    if not runs.claim(run_id, runner):
        if is_job:
            runs.come_back(run_id)
        return False
    try:
        run = _Run.load(run_id, runner)
        while not should_stop():
            if not run.step():
                runs.finish(run_id, runner, run.position.error())
                return True
        runs.let_go(run_id, runner, at=clock.now() if is_job else None)
    except Taken:
        logger.info("manual sync left to another process", extra={"run": str(run_id)})
    except Exception:
        logger.exception("manual sync failed", extra={"run": str(run_id)})
        runs.finish(run_id, runner, WENT_WRONG)
        raise
    except BaseException:  # Ctrl-C
        runs.let_go(run_id, runner)
        raise
    return False


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


class _Run:
    """A run in the hands of this process."""

    def __init__(self, run_id: uuid.UUID, runner: uuid.UUID, position: Position) -> None:
        self.id, self.runner, self.position = run_id, runner, position

    @classmethod
    def load(cls, run_id: uuid.UUID, runner: uuid.UUID) -> _Run:
        with transaction() as session:
            stored = runs.one(session, run_id).position
        if stored:
            return cls(run_id, runner, Position.from_json(stored))
        run = cls(run_id, runner, _plan())
        with transaction() as session:
            run._note(session, run.position, ReadReport())
        return run

    def step(self) -> bool:
        """One step of the work. False: nothing is left."""
        place = next((each for each in self.position.places if not each.is_done), None)
        if place is not None:
            self._read(place)
            return True
        return layers.is_active(CAUSE) and self._judge()

    def _read(self, place: Place) -> None:
        moved = [place]

        def then(session: Session, found: ReadReport, last: int | None) -> None:
            after = place.after if last is None else last
            moved[0] = replace(place, after=after, is_done=last is None)
            self._note(session, self.position.at(moved[0]), found)

        try:
            _, last = memory.read_batch(place.id, place.after, BATCH_ROWS, CAUSE, then)
        except SourceFailed as error:
            self._keep(replace(place, is_done=True, error=str(error)))
            return
        self.position = self.position.at(moved[0])
        if last is None and place.after == 0 and place.highest:
            self._begin_anew(place)

    def _begin_anew(self, place: Place) -> None:
        """The table is not the one we knew: have it taken for a new one, and read that."""
        found = memory.read_new(NEW_LIFE_SECONDS, cause=CAUSE)
        with transaction() as session:
            now = {each.table: each.id for each in sources.current(session)}
        source_id = now.get(place.table, place.id)
        if source_id != place.id:
            self._keep(replace(place, id=source_id), replace(found, rows_read=0, set_aside=0))

    def _judge(self) -> bool:
        with transaction() as session:
            judged = judge_chunk(session, self.position.through)
            if judged.through is None:
                return False
            position = replace(
                self.position,
                through=judged.through,
                judged=self.position.judged + judged.sessions,
            )
            self._note(session, position, judged.found)
        self.position = position
        return True

    def _keep(self, place: Place, found: ReadReport | None = None) -> None:
        self.position = self.position.at(place)
        with transaction() as session:
            self._note(session, self.position, found or ReadReport())

    def _note(self, session: Session, position: Position, found: ReadReport) -> None:
        runs.note(
            session,
            self.id,
            self.runner,
            position=position.to_json(),
            progress=position.progress(),
            found=found,
        )


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
