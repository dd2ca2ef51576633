"""On which screens each page is looked at: both themes, each on a desk, a tablet and a phone."""

from __future__ import annotations

import itertools

import pytest

on_every_screen = pytest.mark.parametrize(
    ("theme", "width"), list(itertools.product(("light", "dark"), (1440, 768, 390)))
)
