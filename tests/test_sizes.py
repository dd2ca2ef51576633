"""What a landing page has to load for the chat."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

KILOBYTE = 1024


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("/embed.js", 3 * KILOBYTE),
        ("/embed/widget.js", 12 * KILOBYTE),
        ("/embed/widget.css", 4 * KILOBYTE),
    ],
)
def test_the_widget_stays_small(client: FlaskClient, name: str, most: int) -> None:
    response = client.get(name, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    print(f"\n{name}: {len(response.data)} bytes gzip")
    assert len(response.data) <= most
    assert gzip.decompress(response.data) == client.get(name).data
