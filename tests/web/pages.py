"""What a page says."""

from __future__ import annotations

import re

from werkzeug.test import TestResponse


def said(page: TestResponse) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
