"""Rows of N8n that commit late, out of order or never, under kill -9. Full size: `make proof`."""

from __future__ import annotations

import subprocess
import sys

from bench.servers import ROOT


def test_every_row_is_imported_once_and_every_promise_completes_under_kills() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.proof", "memory", "--small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
