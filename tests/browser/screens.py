"""On which screens each page is looked at: both themes, a desk and a phone."""

from __future__ import annotations

import pytest

on_every_screen = pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
