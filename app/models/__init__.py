"""Tables and their rules. Importing this package makes every table known."""

from app.models.api_key import ApiKey
from app.models.assistant import AssistantDay, AssistantHealth, AssistantSession
from app.models.chat_session import ChatSession, DeletedSession, SessionEvent, Turn
from app.models.delivery import Delivery, DeliveryAttempt, Destination, LeadEvent
from app.models.incident import Incident, IncidentReport
from app.models.lead import Lead
from app.models.memory import CatchUp, MemoryGap, MemoryRowSetAside, MemorySource
from app.models.message import Message
from app.models.site import Site
from app.models.upkeep import Backtest, BacktestFinding, CheckReport, SyncRun
from app.models.user import User

__all__ = [
    "ApiKey",
    "AssistantDay",
    "AssistantHealth",
    "AssistantSession",
    "Backtest",
    "BacktestFinding",
    "CatchUp",
    "ChatSession",
    "CheckReport",
    "DeletedSession",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "Incident",
    "IncidentReport",
    "Lead",
    "LeadEvent",
    "MemoryGap",
    "MemoryRowSetAside",
    "MemorySource",
    "Message",
    "SessionEvent",
    "Site",
    "SyncRun",
    "Turn",
    "User",
]
