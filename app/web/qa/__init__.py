"""The review queue, and what reviewers decide."""

from app.web.qa import decisions, numbers, pages
from app.web.qa.blueprint import blueprint

__all__ = ["blueprint", "decisions", "numbers", "pages"]
