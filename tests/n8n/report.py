"""What these tests showed, for people: `docs/proof/n8n.log`."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.n8n.server import INSTALL_SECONDS

if TYPE_CHECKING:
    from tests.n8n.house import House

#: Set by `make test-n8n`: a run of some of the tests is no proof.
LOG = "N8N_LOG"


def write(place: House, *, is_passed: bool) -> None:
    """Print it, and keep it where the log is asked for."""
    words = "\n".join(_lines(place)) + ("\n\nPASSED\n" if is_passed else "\n\nFAILED\n")
    print("\n" + words)
    if path := os.environ.get(LOG):
        Path(path).write_text(words, encoding="utf-8")


def _lines(place: House) -> list[str]:
    seconds = {"installing it (once)": float(INSTALL_SECONDS.read_text()), **place.n8n.seconds}
    return [
        "make test-n8n",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "N8n 2.41.1 on Node 24.9.0, the workflows of integrations/n8n, a model that is played",
        "",
        "N8n, seconds",
        *(f"  {what:<77}{taken:>7.1f}" for what, taken in seconds.items()),
        "N8n, MB of memory",
        *(f"  {what:<77}{taken:>7}" for what, taken in place.megabytes.items()),
        f"{'shown':<79}{'tested':>7}",
        *(f"  {promise:<77}{tested:>7}  kept" for promise, tested in place.kept),
    ]
