"""The review queue, and what reviewers decide."""

from app.web.qa import actions, index, show, stats
from app.web.qa.blueprint import blueprint

__all__ = ["actions", "blueprint", "index", "show", "stats"]
