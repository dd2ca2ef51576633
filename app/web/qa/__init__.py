"""The review queue, and what reviewers decide."""

from app.web.qa import actions as decisions
from app.web.qa import index as pages
from app.web.qa import stats as numbers
from app.web.qa.blueprint import blueprint

__all__ = ["blueprint", "decisions", "numbers", "pages"]
