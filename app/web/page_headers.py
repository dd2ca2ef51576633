"""What every response, and every page for people, tells the browser it may and may not do."""

from __future__ import annotations

from flask import Response, current_app

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


#: A year, for this host alone: what else runs under the domain is not ours to decide.
STRICT_TRANSPORT = "max-age=31536000"


def protect_every(response: Response) -> Response:
    """A type is not guessed, nothing is kept by a cache that was not told to, and a browser that
    came by HTTPS comes back by HTTPS only.
    """
    # Not setdefault: looking for a header that is not there raises inside, for each response.
    headers = response.headers
    there = {name for name, _ in headers}
    if "X-Content-Type-Options" not in there:
        headers.add("X-Content-Type-Options", "nosniff")
    if "Cache-Control" not in there:
        headers.add("Cache-Control", "no-store")
    settings = current_app.extensions["settings"]
    if settings.is_production and settings.public_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    return response


def protect(response: Response) -> Response:
    """No inline or foreign code, no framing, no copy of a visitor's data in any cache."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Flask-WTF compares the referrer of a form sent over HTTPS.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
