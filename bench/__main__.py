"""Every benchmark, one after another, then one table. Ends with 1 where a goal is missed.

Each runs in a process of its own, so that none finds what another left behind, and says in its
last line what came out.
"""

from __future__ import annotations

import subprocess
import sys
import time

from bench.servers import ROOT

BENCHMARKS = {
    "bench.detection": "completion detection, messages a second on one core",
    "bench.history": "the layers at 100,000 and 1,000,000 sessions",
    "bench.desk": "the review desk's pages at 100,000 and 1,000,000 sessions",
    "bench.lag": "from N8n's commit to an open dashboard",
    "bench.turns": "turns a second beside the floor",
    "bench.visitors": "500 visitors of an assistant that takes 3 s",
    "bench.streaming": "answers word by word: 50 on screens, 300 at once",
}


def main() -> int:
    results = {module: _run(module) for module in BENCHMARKS}
    print(f"\n{'benchmark':<54}{'seconds':>8}  result")
    for module, (code, last_line, seconds) in results.items():
        result = last_line if code in (0, 1) else f"did not finish (code {code})"
        print(f"{BENCHMARKS[module]:<54}{seconds:>8.0f}  {result}")
    return int(any(code for code, _, _ in results.values()))


def _run(module: str) -> tuple[int, str, float]:
    """Run it and show what it prints. Gives its exit code, its last line and how long it took."""
    print(f"\n== {module}: {BENCHMARKS[module]}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    last_line = ""
    with process.stdout:
        for line in process.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return process.wait(), " ".join(last_line.split()), time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
