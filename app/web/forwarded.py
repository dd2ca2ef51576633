"""Tell where a request really comes from, of what the proxies in front say.

`TRUSTED_PROXIES` counts them. Each appends to X-Forwarded-For, X-Forwarded-Proto and
X-Forwarded-Host, so the value that many places from the end was written by the outermost of them,
and everything before it by whoever sent the request. Nothing else is believed: neither Forwarded,
X-Forwarded-Prefix and X-Forwarded-Port, nor anything at all where there is no proxy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.core.addresses import client_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: A host name or an address with, perhaps, a port.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Forwarded:
    """WSGI middleware. After it `REMOTE_ADDR` is an address in its canonical form, or "" where the
    peer has none (a Unix socket).
    """

    def __init__(self, app: WSGIApplication, proxies: int) -> None:
        self._app = app
        self._proxies = proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        told_address = client_address(self._told(environ, "HTTP_X_FORWARDED_FOR"))
        environ["REMOTE_ADDR"] = told_address or client_address(environ.get("REMOTE_ADDR", ""))
        scheme = self._told(environ, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = self._told(environ, "HTTP_X_FORWARDED_HOST")
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
        return self._app(environ, start_response)

    def _told(self, environ: WSGIEnvironment, name: str) -> str:
        """What the outermost trusted proxy says; "" where fewer have spoken."""
        values = environ.get(name, "").rsplit(",", self._proxies)
        if not self._proxies or len(values) < self._proxies:
            return ""
        return str(values[-self._proxies]).strip()
