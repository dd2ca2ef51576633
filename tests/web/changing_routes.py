"""The routes by which people change something."""

from __future__ import annotations

from flask import Flask

#: Routes of people that change nothing which has to be told, and why.
EXEMPT = {
    "auth.sign_out": "one's own, and told by the sign-in",
    "dashboard.change_theme": "a look",
    "dashboard.begin_two_factor": "nothing counts before it is confirmed",
    "auth.forgotten": "noted by the job that writes the letter",
    "dashboard.try_a_message": "a trial stores nothing",
    "dashboard.try_assistant": "a trial stores nothing",
    "dashboard.continue_backtest": "goes on with what somebody started",
    "dashboard.test_rules": "a test changes nothing; settings saved with it are noted",
}


def changing(app: Flask) -> list[str]:
    """Endpoints of the routes by which people change something."""
    return [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        and rule.endpoint.partition(".")[0] in ("dashboard", "qa", "auth")
    ]
