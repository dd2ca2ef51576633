"""Every icon that is named somewhere has a sign: one that hasn't leaves a gap."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIGNS = ROOT / "static" / "css" / "dashboard_icons.css"
_NAMED = re.compile(r"""\b(?:icon|Badge)\(\s*["']([a-z0-9-]+)["']""")


def named() -> dict[str, str]:
    """Each icon's name, and a file that names it."""
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "app" / "web").rglob("*.py")]
    return {name: str(file) for file in files for name in _NAMED.findall(file.read_text())}


def test_every_icon_that_is_named_has_its_sign() -> None:
    signs = set(re.findall(r"\.fa-([a-z0-9-]+) \{", SIGNS.read_text()))
    assert len(named()) > 40
    assert {name: file for name, file in named().items() if name not in signs} == {}
