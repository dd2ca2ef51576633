"""This app's rate limits."""

from __future__ import annotations

from flask import current_app

from app.core.rates import Rates


def rates() -> Rates:
    found: Rates = current_app.extensions["rates"]
    return found
