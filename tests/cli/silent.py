"""A child of the supervisor that gives one heartbeat, and then none; `--never`: not even that."""

from __future__ import annotations

import os
import sys
import time

if __name__ == "__main__":
    (pipe,) = [int(word.partition("=")[2]) for word in sys.argv if "--heartbeat-pipe" in word]
    if "--never" not in sys.argv:
        os.write(pipe, b".")
    while True:
        time.sleep(1)
