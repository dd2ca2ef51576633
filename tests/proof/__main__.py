"""The long runs, each as a process of its own, with a log in `docs/proof/`.

python -m tests.proof                      all of them, at full size
python -m tests.proof kills [--small]      kill -9 of web and worker under chatting visitors
python -m tests.proof conversations [N]    N conversations at once
python -m tests.proof memory [--small|--middle]    N8n's rows, late and out of order, under kill -9
python -m tests.proof availability [--small | ATTACK]    visitors chat while the product is attacked
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from datetime import UTC, datetime

from bench.servers import ROOT
from tests.proof import availability, conversations, kills, memory

LOGS = ROOT / "docs" / "proof"
MOST_CONVERSATIONS = 200
#: Name of the log → how the run is started.
LONG_RUNS = {
    "kills": ("tests.proof", "kills"),
    "conversations": ("tests.proof", "conversations"),
    "memory": ("tests.proof", "memory"),
    "availability": ("tests.proof", "availability"),
    "visitors": ("bench.visitors",),
    "delivery_real_time": ("tests.proof.delivery_real_time",),
    "two_browsers": ("tests.proof.two_browsers",),
}


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            return sum(not _logged(name) for name in LONG_RUNS)
        case ["kills", *size]:
            return 0 if kills.run(kills.SMALL if size == ["--small"] else kills.FULL) else 1
        case ["memory", *size]:
            return 0 if memory.run(memory.SIZES[size[0]] if size else memory.FULL) else 1
        case ["availability", "--small"]:
            return 0 if availability.run(availability.SMALL) else 1
        case ["availability", *attack]:
            return 0 if availability.run(availability.FULL, *attack) else 1
        case ["conversations", *number]:
            return 0 if conversations.run(int(number[0]) if number else MOST_CONVERSATIONS) else 1
        case _:
            print(__doc__)
            return 2


def _logged(name: str) -> bool:
    """Run it, show what it prints and keep that."""
    LOGS.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-u", "-m", *LONG_RUNS[name]]
    with (LOGS / f"{name}.log").open("w") as log:
        heading = (
            f"{' '.join(('python', '-m', *LONG_RUNS[name]))}\n"
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}\n\n"
        )
        print(heading, end="", file=log, flush=True)
        print(heading, end="", flush=True)
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                print(line, end="", flush=True)
                log.write(line)
        is_kept = process.wait() == 0
        verdict = "\nPASSED\n\n" if is_kept else "\nFAILED\n\n"
        log.write(verdict.rstrip("\n") + "\n")
        print(verdict, end="", flush=True)
    return is_kept


if __name__ == "__main__":
    # Whatever asks it to stop: what it started is stopped, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
