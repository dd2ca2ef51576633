"""What every page for people tells the browser it may and may not do."""

from __future__ import annotations

from flask import Response

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


def protect(response: Response) -> Response:
    """No inline or foreign code, no framing, no copy of a visitor's data in any cache."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Flask-WTF compares the referrer of a form sent over HTTPS.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
