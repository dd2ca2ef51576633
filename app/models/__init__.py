"""Tables and their rules. Importing this package makes every table known."""

from app.models.chat_session import ChatSession, SessionEvent, Turn
from app.models.delivery import Delivery, DeliveryAttempt, Destination
from app.models.lead import Lead
from app.models.message import Message
from app.models.site import Site
from app.models.user import User

__all__ = [
    "ChatSession",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "Lead",
    "Message",
    "SessionEvent",
    "Site",
    "Turn",
    "User",
]
