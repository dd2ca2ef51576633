"""How Python looks for garbage in a process that answers requests."""

from __future__ import annotations

import gc

#: A request makes thousands of objects, most of which die with it. Of 20,000 the search takes
#: 20 to 80 ms, in which nobody is answered; of 5,000 at most 10, and less in all: what it looks
#: through is still at hand (measured on list pages).
YOUNG, MIDDLE, OLD = 5_000, 5, 10


def look_less_often() -> None:
    """What lives as long as the process is not looked through again. For the end of a start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
