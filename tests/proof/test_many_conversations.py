"""200 visitors at once get no error and nothing that is another's."""

from __future__ import annotations

import subprocess
import sys

from bench.servers import ROOT


def test_two_hundred_conversations_at_once_do_not_mix() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.proof", "conversations", "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
