"""Everything that others wrote: what nobody has judged yet, and what is new in the sources."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from app.completion import layers
from app.completion.sweep import sweep
from app.sync import memory
from app.sync.report import ReadReport

SWEEP = "sweep"
AUTO_SYNC = "auto_sync"


class Read(Protocol):
    """How new rows are read (`memory.read_new`)."""

    def __call__(
        self, seconds: float | None, *, cause: str, hints: Sequence[tuple[int, int]] = ()
    ) -> ReadReport: ...


def catch_up(
    seconds: float,
    *,
    cause: str,
    hints: Sequence[tuple[int, int]] = (),
    read: Read | None = None,
) -> bool:
    """Sweep and read new rows within so many seconds. True: nothing is left.

    `cause`: the layer that completes what is new in the sources (`auto_sync` or `sweep`); a layer
    that is switched off leaves that to the other. `hints`: as for `memory.read_new`.
    """
    deadline = time.monotonic() + seconds
    # The sweep asks our own database only: no source that is slow can keep it waiting.
    is_swept = sweep(seconds / 2, cause=SWEEP)
    report = (read or memory.read_new)(
        max(0.0, deadline - time.monotonic()), cause=_active(cause), hints=hints
    )
    left = deadline - time.monotonic()
    if left > 0 and (report.messages_added or not is_swept):
        is_swept = sweep(left, cause=SWEEP)
    elif report.messages_added:
        is_swept = is_swept and layers.is_active(_active(cause))
    return is_swept and report.is_done


def _active(cause: str) -> str:
    """A request must not bring in rows unjudged that the worker would have completed."""
    if cause == SWEEP and not layers.is_active(SWEEP):
        return AUTO_SYNC
    return cause
