"""The sign-in cookie is for people's pages; machines and the widget have tokens."""

from __future__ import annotations

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

#: Whose cookie it is, by its signature alone: enough to count what one user asks for.
USER_ID = "user_id"


class PeopleOnly(SecureCookieSessionInterface):
    """Spares every request of the widget and of the API the reading and writing of a cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(("/widget/", "/api/", "/webhooks/")):
            return None
        return super().open_session(app, request)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """A cookie is made to last longer by opening pages, not by what their scripts ask for
        beside them: such an answer, under way while a form is sent, would bring the old cookie
        back and lose what the form's answer has put there to be said.
        """
        is_beside = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        if is_beside and not session.modified:
            return False
        return super().should_set_cookie(app, session)
