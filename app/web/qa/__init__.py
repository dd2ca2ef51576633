"""The review queue, and what reviewers decide."""

from app.web.qa.views import blueprint

__all__ = ["blueprint"]
