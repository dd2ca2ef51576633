"""kill -9 at random moments and at named points loses nothing. At full size: `make proof`."""

from __future__ import annotations

import subprocess
import sys

from bench.servers import ROOT


def test_no_message_and_no_lead_is_lost_or_doubled_when_processes_are_killed() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.proof", "kills", "--small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
