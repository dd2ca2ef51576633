"""The widget's own files, small on the wire: gzip once, named by their content."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Response, current_app, request, url_for

from app.core.errors import NotFound

BUILT = Path(__file__).resolve().parents[3] / "static" / "dist"
#: What the widget and the demo page load.
NAMES = ("embed.js", "widget.js", "widget.css", "demo.js", "demo.css")
TYPES = {".js": "text/javascript", ".css": "text/css"}


@dataclass(frozen=True, slots=True)
class Asset:
    plain: bytes
    packed: bytes
    version: str


def asset_url(name: str) -> str:
    """The address of a file with its version in it: it may be kept for ever."""
    return url_for("widget.asset", name=name, v=_asset(name).version)


def send_asset(name: str, max_age_seconds: int) -> Response:
    """The file, readable by pages of every origin. Raises NotFound."""
    asset = _asset(name)
    is_packed = request.accept_encodings["gzip"] > 0
    response = Response(
        asset.packed if is_packed else asset.plain, mimetype=TYPES[Path(name).suffix]
    )
    if is_packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(asset.version + ("-gzip" if is_packed else ""))
    response.cache_control.public = True
    response.cache_control.max_age = max_age_seconds
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response


def _asset(name: str) -> Asset:
    if name not in NAMES:
        raise NotFound("There is nothing at this address.")
    path = BUILT / name
    if not path.is_file():
        current_app.logger.error("%s is missing: build the front end with `make run`", path)
        raise NotFound("This part of the chat has not been built yet.")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read(path: Path, _changed_at: int) -> Asset:
    plain = path.read_bytes()
    version = hashlib.sha256(plain).hexdigest()[:12]
    return Asset(plain, gzip.compress(plain, 9, mtime=0), version)
