"""The widget: the pages it lives on and the conversation it holds."""

from app.web.widget.conversation import blueprint
from app.web.widget.pages import blueprint as pages_blueprint

__all__ = ["blueprint", "pages_blueprint"]
