"""The settings. The only reader of the environment; fails early, naming the variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values

import config_values as values
from config_values import ConfigError

__all__ = ["ROOT", "ConfigError", "Settings", "child_environment"]

ROOT = Path(__file__).resolve().parent
LARGEST_REQUEST_BYTES = 1024 * 1024
COMPLETION_LAYERS = ("live", "auto_sync", "sweep", "manual_sync")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says, checked. Lists hold the newest value first."""

    app_env: Literal["development", "production"] = "development"
    secret_keys: tuple[str, ...]
    instance_path: Path = ROOT / "instance"

    #: For SQLAlchemy (`postgresql+psycopg2://…`); empty: use the embedded PostgreSQL.
    database_url: str = ""
    #: A direct address for LISTEN where `database_url` goes through a transaction pooler.
    database_listen_url: str = ""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    web_concurrency: int = 2
    trusted_proxies: int = 0
    #: Production may be reached with no proxy in front.
    public_direct: bool = False

    admin_email: str = ""
    admin_password: str = ""
    business_timezone: str = "UTC"
    log_format: Literal["text", "json"] = "text"
    ratelimit_enabled: bool = True
    ratelimit_storage_uri: str = "memory://"
    completion_layers: tuple[str, ...] = COMPLETION_LAYERS

    n8n_lead_webhook_url: str = ""
    n8n_webhook_secrets: tuple[str, ...] = ()
    n8n_auth_header_name: str = ""
    n8n_auth_header_value: str = ""
    n8n_chat_url: str = ""
    n8n_chat_timeout_seconds: int = 30
    #: For SQLAlchemy; empty: N8n's chat memory is in the app's own database.
    n8n_memory_database_url: str = ""
    n8n_memory_table: str = "n8n_chat_histories"

    openai_api_key: str = ""
    #: Empty: OpenAI itself, and then a key is needed.
    openai_base_url: str = ""
    openai_model: str = ""

    #: Empty: letters are printed on the console.
    resend_api_key: str = ""
    resend_from: str = ""
    resend_api_url: str = "https://api.resend.com"
    #: Who is told of QA issues.
    qa_notify_emails: tuple[str, ...] = ()

    #: Networks, as `10.0.0.0/8`, that an address typed in the dashboard may lead to.
    outbound_allow: tuple[str, ...] = ()

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def libpq_url(self) -> str:
        """The database's address for psycopg, psycopg2 and psql; empty: embedded."""
        return self.database_url.replace("postgresql+psycopg2://", "postgresql://", 1)

    @property
    def listen_url(self) -> str:
        """The address LISTEN uses, in libpq's form."""
        return self.database_listen_url or self.libpq_url

    @classmethod
    def load(
        cls, environ: Mapping[str, str] | None = None, *, instance_path: Path | None = None
    ) -> Settings:
        """The settings of this environment, by default the process's own and `.env` beneath it.

        `.env` is read in development only. A variable set to nothing counts as not set. Raises
        ConfigError, one line, for the first value that is wrong.
        """
        given = _process_environment() if environ is None else environ
        env = {name: value.strip() for name, value in given.items() if value and value.strip()}
        instance_path = instance_path or ROOT / "instance"
        app_env = values.choice(env, "APP_ENV", ("development", "production"), "development")
        host = values.host(env, "HOST", "127.0.0.1")
        port = values.integer(env, "PORT", 8000, low=1, high=65535)
        database_url = values.postgresql_url(env, "DATABASE_URL")
        listen_url = values.postgresql_url(env, "DATABASE_LISTEN_URL")
        memory_url = values.postgresql_url(env, "N8N_MEMORY_DATABASE_URL")
        header_name, header_value = values.header(
            env, "N8N_AUTH_HEADER_NAME", "N8N_AUTH_HEADER_VALUE"
        )
        return cls(
            app_env="production" if app_env == "production" else "development",
            secret_keys=values.secret_keys(
                env, "SECRET_KEY", app_env == "production", instance_path / "secret_key"
            ),
            instance_path=instance_path,
            database_url=database_url and f"postgresql+psycopg2://{database_url}",
            database_listen_url=listen_url and f"postgresql://{listen_url}",
            host=host,
            port=port,
            public_url=values.web_address(env, "PUBLIC_URL").rstrip("/")
            or f"http://{_reachable(host)}:{port}",
            web_concurrency=values.integer(env, "WEB_CONCURRENCY", 2, low=1, high=64),
            trusted_proxies=values.integer(env, "TRUSTED_PROXIES", 0, low=0, high=10),
            public_direct=values.boolean(env, "PUBLIC_DIRECT", default=False),
            admin_email=values.email(env, "ADMIN_EMAIL"),
            admin_password=values.password(env, "ADMIN_PASSWORD"),
            business_timezone=values.timezone(env, "BUSINESS_TIMEZONE", "UTC"),
            log_format=(
                "json"
                if values.choice(env, "LOG_FORMAT", ("text", "json"), "text") == "json"
                else "text"
            ),
            ratelimit_enabled=values.boolean(env, "RATELIMIT_ENABLED", default=True),
            ratelimit_storage_uri=values.ratelimit_storage(env, "RATELIMIT_STORAGE_URI"),
            completion_layers=values.choices(env, "COMPLETION_LAYERS", COMPLETION_LAYERS),
            n8n_lead_webhook_url=values.web_address(env, "N8N_LEAD_WEBHOOK_URL"),
            n8n_webhook_secrets=values.webhook_secrets(env, "N8N_WEBHOOK_SECRET"),
            n8n_auth_header_name=header_name,
            n8n_auth_header_value=header_value,
            n8n_chat_url=values.web_address(env, "N8N_CHAT_URL"),
            n8n_chat_timeout_seconds=values.integer(
                env, "N8N_CHAT_TIMEOUT_SECONDS", 30, low=1, high=120
            ),
            n8n_memory_database_url=memory_url and f"postgresql+psycopg2://{memory_url}",
            n8n_memory_table=values.memory_table(env, "N8N_MEMORY_TABLE", "n8n_chat_histories"),
            openai_api_key=values.api_key(env, "OPENAI_API_KEY"),
            openai_base_url=values.api_address(env, "OPENAI_BASE_URL"),
            openai_model=values.model(env, "OPENAI_MODEL"),
            resend_api_key=values.api_key(env, "RESEND_API_KEY"),
            resend_from=values.sender(env, "RESEND_FROM", "RESEND_API_KEY"),
            resend_api_url=values.web_address(env, "RESEND_API_URL").rstrip("/")
            or "https://api.resend.com",
            qa_notify_emails=values.emails(env, "QA_NOTIFY_EMAILS"),
            outbound_allow=values.networks(env, "OUTBOUND_ALLOW"),
        )

    def check_web(self) -> None:
        """Raises ConfigError, one line, when the web process must not start with these settings."""
        if self.is_production and not self.trusted_proxies and not self.public_direct:
            raise ConfigError(
                "TRUSTED_PROXIES is 0; in production a proxy must stand in front, which keeps slow"
                " and huge requests away and tells the callers' addresses. Say how many there are,"
                " or set PUBLIC_DIRECT=true to go without. Example: TRUSTED_PROXIES=1"
            )

    def flask_config(self) -> dict[str, Any]:
        """What Flask and its extensions want to know, by their own names."""
        return {
            "SECRET_KEY": self.secret_keys[0],
            "SECRET_KEY_FALLBACKS": list(self.secret_keys[1:]),
            "SESSION_COOKIE_SECURE": self.is_production,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "REMEMBER_COOKIE_SECURE": self.is_production,
            "REMEMBER_COOKIE_HTTPONLY": True,
            "REMEMBER_COOKIE_SAMESITE": "Lax",
            "PERMANENT_SESSION_LIFETIME": timedelta(days=14),
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            # Threads outnumber connections on purpose: no turn holds one while someone thinks.
            # The values of a failing statement are visitors' and secrets: the log never has them.
            "SQLALCHEMY_ENGINE_OPTIONS": {
                "pool_size": 10,
                "max_overflow": 0,
                "pool_timeout": 20,
                "hide_parameters": True,
            },
            "WTF_CSRF_TIME_LIMIT": None,
            # No form is read before its size is known to be bounded; `web/body` has the exceptions.
            "MAX_CONTENT_LENGTH": LARGEST_REQUEST_BYTES,
            "MAX_FORM_MEMORY_SIZE": LARGEST_REQUEST_BYTES,
            "MAX_FORM_PARTS": 1000,
        }


def child_environment(**changes: str) -> dict[str, str]:
    """This process's environment for a process it starts, with these variables changed."""
    return {**os.environ, **changes}


def _process_environment() -> dict[str, str]:
    """The process's environment; in development `.env` fills what it leaves out."""
    process = dict(os.environ)
    if process.get("APP_ENV", "").strip() == "production":
        return process
    try:
        written = dotenv_values(ROOT / ".env")
    except (UnicodeDecodeError, OSError) as error:
        raise ConfigError(
            f"The file {ROOT / '.env'} cannot be read as UTF-8 text: {error}"
        ) from None
    return {**{name: value or "" for name, value in written.items()}, **process}


def _reachable(host: str) -> str:
    """An address a browser on this machine can open."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
