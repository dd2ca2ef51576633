"""Sites: booking phrases, assistant, back-tests."""

from app.web.dashboard.sites import actions, assistant, backtests, index, show

__all__ = ["actions", "assistant", "backtests", "index", "show"]
