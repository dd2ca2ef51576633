"""The widget: the pages it lives on and the conversation it holds."""

from app.web.widget import conversation, pages
from app.web.widget.blueprint import blueprint

__all__ = ["blueprint", "conversation", "pages"]
