"""Two browsers on one server: what one does the other sees, and a connection lost for 30 s.

python -m tests.proof.two_browsers
"""

from __future__ import annotations

import os
import sys

import pytest

LOST_SECONDS = "30"
SEEN_WITHIN_SECONDS = "1.5"

if __name__ == "__main__":
    os.environ["LOST_SECONDS"] = LOST_SECONDS
    os.environ["SEEN_WITHIN_SECONDS"] = SEEN_WITHIN_SECONDS
    sys.exit(
        pytest.main(["-q", "-rP", "--show-capture=stdout", "tests/browser/test_two_browsers.py"])
    )
