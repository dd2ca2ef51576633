"""Judge whether the time of a call grows faster than linearly with the length of its text.

No time is asserted, only how it grows: CPU time of this thread, the least of several tries, at
lengths four times apart, and again at greater lengths before anything is called superlinear. A call
that does not end is interrupted: `re` looks for signals while it matches.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: Four times the text may take so many times as long; linear is 4, quadratic 16.
MOST_RATIO = 7.0
#: From here on the screening looks closer.
_SUSPICIOUS_RATIO = 5.2
_SCREENED = (160, 640)
_CUT_OFF_SECONDS = 0.25
#: A time below is mostly the clock's own.
_MEASURABLE_SECONDS = 30e-6
_LONGEST = 64_000

Make = Callable[[int], str]


class _CutOff(BaseException):
    """The call was interrupted. Not an Exception, so that no code under test handles it."""


def is_superlinear(
    call: Callable[[str], object],
    make: Make,
    *,
    screened: tuple[int, ...] = _SCREENED,
    longest: int = _LONGEST,
) -> bool:
    """Whether `call(make(length))` takes more than proportionally longer for a longer text.

    `longest`: the longest text the call is ever given.
    """
    if not _is_suspicious(call, make, screened):
        return False
    # A busy machine may disturb a measurement, but not three of them in the same way.
    return all(_grows(call, make, longest) for _ in range(3))


def _is_suspicious(call: Callable[[str], object], make: Make, lengths: tuple[int, ...]) -> bool:
    times = []
    for length in lengths:
        seconds = _seconds(call, make(length), tries=1)
        if seconds is None:
            return True
        times.append(seconds)
    first, last = times[0], times[-1]
    is_ordinary = last < _SUSPICIOUS_RATIO * lengths[-1] / lengths[0] / 4 * first
    return not is_ordinary


def _grows(call: Callable[[str], object], make: Make, longest: int) -> bool:
    """From tiny texts on: whether the growth at the greatest lengths measured is superlinear."""
    times: dict[int, float] = {}
    length = 4
    while length <= longest:
        seconds = _seconds(call, make(length), tries=3)
        if seconds is None:
            # Interrupted. That it grew steeply up to here is seen in what was measured, or in this.
            times[length] = _CUT_OFF_SECONDS
            break
        times[length] = seconds
        if seconds > _CUT_OFF_SECONDS / 4:
            break
        length *= 2
    measured = [each for each in times if each // 4 in times]
    steep = [
        times[each] > MOST_RATIO * max(times[each // 4], _MEASURABLE_SECONDS / 4)
        for each in measured
        if times[each] > _MEASURABLE_SECONDS
    ]
    return bool(steep) and steep[-1] and all(steep[-2:])


def _seconds(call: Callable[[str], object], text: str, tries: int) -> float | None:
    """The least CPU time of several tries; None when it was interrupted."""
    best = float("inf")
    for _ in range(tries):
        start = time.thread_time()
        try:
            with _interrupted_after(_CUT_OFF_SECONDS):
                call(text)
        except _CutOff:
            return None
        best = min(best, time.thread_time() - start)
        if best > _CUT_OFF_SECONDS / 20:
            break
    return best


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise _CutOff
