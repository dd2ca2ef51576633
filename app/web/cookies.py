"""The sign-in cookie is for people's pages; machines and the widget have tokens."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class PeopleOnly(SecureCookieSessionInterface):
    """Spares every request of the widget and of the API the reading and writing of a cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(("/widget/", "/api/", "/webhooks/")):
            return None
        return super().open_session(app, request)
