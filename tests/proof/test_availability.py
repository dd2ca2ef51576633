"""Visitors complete their chats while the product is attacked. At full size: `make proof`."""

from __future__ import annotations

import subprocess
import sys

from bench.servers import ROOT


def test_visitors_complete_their_chats_under_every_attack_at_once() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.proof", "availability", "--small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
