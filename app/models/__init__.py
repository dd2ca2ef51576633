"""Tables and their rules. Importing this package makes every table known."""

from app.models.api_key import ApiKey
from app.models.assistant import AssistantDay, AssistantHealth, AssistantSession
from app.models.audit import AuditEntry
from app.models.backtest_finding import BacktestFinding
from app.models.chat_session import ChatSession, DeletedSession, SessionEvent, Turn
from app.models.delivery import Delivery, DeliveryAttempt, Destination, LeadEvent
from app.models.incident import Incident, IncidentReport
from app.models.isolation import EvaluationClaim, JobDeath, MemoryRead
from app.models.lead import Lead, LeadChange
from app.models.memory import CatchUp, MemoryGap, MemoryRowSetAside, MemorySource
from app.models.message import Message
from app.models.qa import QaLook, QaMove, QaNotice
from app.models.run import Run
from app.models.site import Site
from app.models.user import SavedView, User
from app.models.user_access import RecoveryCode, SignIn, SignInFailure, UserLink

__all__ = [
    "ApiKey",
    "AssistantDay",
    "AssistantHealth",
    "AssistantSession",
    "AuditEntry",
    "BacktestFinding",
    "CatchUp",
    "ChatSession",
    "DeletedSession",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "EvaluationClaim",
    "Incident",
    "IncidentReport",
    "JobDeath",
    "Lead",
    "LeadChange",
    "LeadEvent",
    "MemoryGap",
    "MemoryRead",
    "MemoryRowSetAside",
    "MemorySource",
    "Message",
    "QaLook",
    "QaMove",
    "QaNotice",
    "RecoveryCode",
    "Run",
    "SavedView",
    "SessionEvent",
    "SignIn",
    "SignInFailure",
    "Site",
    "Turn",
    "User",
    "UserLink",
]
