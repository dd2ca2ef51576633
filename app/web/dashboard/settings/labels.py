"""What the server is told by its environment, in plain words; never a secret, of an address only
the host.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from app.web.frame.labels import Badge
from config import COMPLETION_LAYERS, Settings

SET_UP = Badge("circle-check", "Set up", "green")
NOT_SET_UP = Badge("circle-minus", "Not set up", "grey")
USUAL = Badge("circle-check", "As usual", "green")
CHANGED = Badge("circle-info", "Changed", "blue")
LOCAL = Badge("circle-info", "This computer only", "amber")

LAYERS = {
    "live": "While visitors chat",
    "auto_sync": "As messages come in",
    "sweep": "By looking again",
    "manual_sync": "By “Sync now”",
}


@dataclass(frozen=True, slots=True)
class Part:
    """`facts`: what is set, by name. `variables`: what to set on the server to change it."""

    key: str
    icon: str
    title: str
    badge: Badge
    does: str
    facts: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]


def parts(settings: Settings) -> list[Part]:
    """Everything that can be set up, the most wanted first."""
    return [
        _leads(settings),
        _letters(settings),
        _chat(settings),
        _model(settings),
        _memory(settings),
        _completion(settings),
        _address(settings),
        _time_zone(settings),
    ]


def _leads(settings: Settings) -> Part:
    url = settings.n8n_lead_webhook_url
    facts = [("Sent to", f"N8n at {_host(url)}" if url else "the console, for whoever runs this")]
    if url:
        is_signed = bool(settings.n8n_webhook_secrets)
        facts.append(("Signed", "yes" if is_signed else "no: N8n cannot tell who sends"))
        facts.append(("Extra header", settings.n8n_auth_header_name or "none"))
    return Part(
        "leads",
        "paper-plane",
        "Sending leads",
        _state(url),
        "A lead goes to N8n as soon as its session is completed.",
        tuple(facts),
        ("N8N_LEAD_WEBHOOK_URL", "N8N_WEBHOOK_SECRET", "N8N_AUTH_HEADER_NAME"),
    )


def _letters(settings: Settings) -> Part:
    key = settings.resend_api_key
    facts = [
        (
            "Sent by",
            f"Resend, from {settings.resend_from}" if key else "nobody: shown on the console",
        ),
        ("QA issues to", ", ".join(settings.qa_notify_emails) or "admins who want notices"),
    ]
    return Part(
        "letters",
        "envelope",
        "E-mail",
        _state(key),
        "Invitations, new passwords, and notices of QA issues.",
        tuple(facts),
        ("RESEND_API_KEY", "RESEND_FROM", "QA_NOTIFY_EMAILS"),
    )


def _chat(settings: Settings) -> Part:
    url = settings.n8n_chat_url
    facts = (
        ("Answers from", f"N8n at {_host(url)}" if url else "what each site names itself"),
        ("Waits at most", f"{settings.n8n_chat_timeout_seconds} s for an answer"),
    )
    return Part(
        "chat",
        "comments",
        "Chat by N8n",
        _state(url),
        "A workflow that answers the visitors of sites whose assistant is N8n.",
        facts,
        ("N8N_CHAT_URL", "N8N_CHAT_TIMEOUT_SECONDS"),
    )


def _model(settings: Settings) -> Part:
    url, key = settings.openai_base_url, settings.openai_api_key
    facts = [("Asked at", _host(url) if url else "OpenAI" if key else "nowhere")]
    facts.append(("Model", settings.openai_model or "what each site names itself"))
    facts.append(("Key", "set" if key else "none"))
    return Part(
        "model",
        "microchip",
        "Language model",
        _state(url or key),
        "Answers the visitors of sites whose assistant is a language model.",
        tuple(facts),
        ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"),
    )


def _memory(settings: Settings) -> Part:
    url = settings.n8n_memory_database_url
    host = make_url(url).host or "this computer" if url else "our own database"
    return Part(
        "memory",
        "database",
        "N8n's chat memory",
        SET_UP if url else USUAL,
        "Conversations that N8n held by itself are read from here.",
        (("Database", host), ("Table", settings.n8n_memory_table)),
        ("N8N_MEMORY_DATABASE_URL", "N8N_MEMORY_TABLE"),
    )


def _completion(settings: Settings) -> Part:
    on = settings.completion_layers
    return Part(
        "completion",
        "list-check",
        "Completing sessions",
        USUAL if set(on) == set(COMPLETION_LAYERS) else CHANGED,
        "A session is completed when the assistant promised a follow-up. Noticed:",
        tuple((words, "on" if layer in on else "off") for layer, words in LAYERS.items()),
        ("COMPLETION_LAYERS",),
    )


def _address(settings: Settings) -> Part:
    url = settings.public_url
    return Part(
        "address",
        "globe",
        "Public address",
        LOCAL if _is_local(url) else SET_UP,
        "What people type to get here. Links in letters and in leads begin with it.",
        (("Address", f"{urlsplit(url).scheme}://{_host(url)}"),),
        ("PUBLIC_URL",),
    )


def _time_zone(settings: Settings) -> Part:
    return Part(
        "time_zone",
        "clock",
        "Time zone of the business",
        USUAL,
        "In whose time days begin and end. Each person can choose another to look at.",
        (("Time zone", settings.business_timezone),),
        ("BUSINESS_TIMEZONE",),
    )


def _state(value: str) -> Badge:
    return SET_UP if value else NOT_SET_UP


def _host(url: str) -> str:
    """Host and port alone: a path may hold a token, what stands before an @ a password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
