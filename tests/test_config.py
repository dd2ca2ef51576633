"""A wrong setting stops the start with one line: the variable, what is wrong, an example."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

import config
from config import ConfigError, Settings, child_environment

ROOT = Path(__file__).resolve().parent.parent
LONG = "x" * 40
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": LONG}

WRONG = [
    ("APP_ENV", "staging", "is 'staging'; it can be development or production"),
    ("SECRET_KEY", "a,b,c", "holds more than two values"),
    ("DATABASE_URL", "mysql://u:p@h/d", "must be a PostgreSQL address"),
    ("DATABASE_URL", "postgresql://u:p@h:port/d", "is not an address that can be read"),
    ("DATABASE_URL", "postgresql://u:p@h", "does not name a database"),
    ("DATABASE_LISTEN_URL", "http://h/d", "must be a PostgreSQL address"),
    ("HOST", "my host", "must be a host name or an IP address"),
    ("PORT", "http", "is 'http'; it must be a whole number from 1 to 65535"),
    ("PORT", "0", "must be a whole number from 1 to 65535"),
    ("PORT", "65536", "must be a whole number from 1 to 65535"),
    ("PORT", "٨٠٠٠", "must be a whole number"),
    ("PUBLIC_URL", "chat.example.com", "must be a whole address starting with http"),
    ("PUBLIC_URL", "https://chat.example.com:x", "must be a whole address"),
    ("WEB_CONCURRENCY", "0", "must be a whole number from 1 to 64"),
    ("TRUSTED_PROXIES", "-1", "must be a whole number from 0 to 10"),
    ("ADMIN_EMAIL", "ann", "is 'ann', not an e-mail address"),
    ("ADMIN_PASSWORD", "short", "must be 8 to 500 characters long"),
    ("ADMIN_PASSWORD", "x" * 501, "must be 8 to 500 characters long"),
    ("BUSINESS_TIMEZONE", "Mars/Base", "is 'Mars/Base', not a time zone we know"),
    ("LOG_FORMAT", "xml", "is 'xml'; it can be text or json"),
    ("COMPLETION_LAYERS", "live,magic", "names 'magic'; it can name live, auto_sync"),
    ("COMPLETION_LAYERS", ",", "names nothing"),
    ("RATELIMIT_ENABLED", "maybe", "is 'maybe'; it can be true or false"),
    ("RATELIMIT_STORAGE_URI", "file:///tmp", "must start with memory://"),
    ("N8N_LEAD_WEBHOOK_URL", "n8n.example.com/webhook", "must be a whole address"),
    ("N8N_WEBHOOK_SECRET", "my secret!!", "must be whsec_ followed by base64"),
    ("N8N_WEBHOOK_SECRET", "whsec_not base64", "must be whsec_ followed by base64"),
    ("N8N_WEBHOOK_SECRET", "whsec_", "must be whsec_ followed by base64"),
    ("N8N_CHAT_URL", "n8n/webhook/1/chat", "must be a whole address"),
    ("N8N_CHAT_TIMEOUT_SECONDS", "0", "must be a whole number from 1 to 120"),
    ("N8N_MEMORY_DATABASE_URL", "mysql://u:p@h/d", "must be a PostgreSQL address"),
    ("N8N_MEMORY_TABLE", "chat histories", "must be a table's name"),
    ("N8N_MEMORY_TABLE", "a.b.c", "must be a table's name"),
    ("N8N_MEMORY_TABLE", 'a"; drop', "must be a table's name"),
    ("OPENAI_API_KEY", "sk abc", "holds a character no API key can hold"),
    ("OPENAI_BASE_URL", "localhost:11434/v1", "must be a whole address"),
    ("OPENAI_BASE_URL", "https://ann:secret@h/v1", "must not hold a user name or a password"),
    ("OPENAI_BASE_URL", "https://h/v1/chat/completions", "must end before /chat/completions"),
    ("OPENAI_MODEL", "x" * 201, "is not the name of a model"),
    ("RESEND_API_KEY", "re_abc", "RESEND_FROM is not set while RESEND_API_KEY is"),
    ("RESEND_FROM", "Ann", "is 'Ann', not an e-mail address"),
    ("RESEND_FROM", "Ann <ann>", "is 'ann', not an e-mail address"),
    ("RESEND_FROM", "Ann\r\nBcc: b@example.com <a@example.com>", "not an e-mail address"),
    ("RESEND_API_URL", "api.resend.com", "must be a whole address"),
    ("QA_NOTIFY_EMAILS", "ann@example.com, ben", "is 'ben', not an e-mail address"),
    ("OUTBOUND_ALLOW", "10.0.0.0/8,intranet", "names 'intranet', not a network"),
    ("OUTBOUND_ALLOW", "10.0.0.1/8", "names '10.0.0.1/8', not a network"),
    ("N8N_AUTH_HEADER_NAME", "X Token", "not the name of an HTTP header"),
    ("N8N_AUTH_HEADER_NAME", "X-Token", "N8N_AUTH_HEADER_VALUE is empty while"),
    ("N8N_AUTH_HEADER_VALUE", "abc", "N8N_AUTH_HEADER_NAME is empty while"),
    ("N8N_AUTH_HEADER_VALUE", "a\tb", "holds a character no HTTP header may hold"),
]


def load(tmp_path: Path, **environ: str) -> Settings:
    return Settings.load(environ, instance_path=tmp_path)


@pytest.mark.parametrize(("name", "value", "problem"), WRONG)
def test_a_wrong_value_is_one_line_with_name_problem_and_example(
    tmp_path: Path, name: str, value: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, **{name: value})
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert name in sentence
    assert problem in sentence
    assert re.search(r"Example: [A-Z0-9_]+=.", sentence)


def test_a_secret_is_never_repeated_in_the_sentence(tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "N8N_WEBHOOK_SECRET", "ADMIN_PASSWORD"):
        with pytest.raises(ConfigError) as raised:
            load(tmp_path, **{name: "hunter2"})
        assert "hunter2" not in str(raised.value)


def test_letters_have_a_sender_and_issues_their_readers(tmp_path: Path) -> None:
    set_up = load(
        tmp_path,
        RESEND_API_KEY="re_abc",
        RESEND_FROM="Ann at 5ive <ann@example.com>",
        RESEND_API_URL="http://127.0.0.1:9/",
        QA_NOTIFY_EMAILS="Dev@example.com, dev@example.com,ben@example.com",
    )
    assert (set_up.resend_api_key, set_up.resend_from, set_up.resend_api_url) == (
        "re_abc",
        "Ann at 5ive <ann@example.com>",
        "http://127.0.0.1:9",
    )
    assert set_up.qa_notify_emails == ("dev@example.com", "ben@example.com")
    assert load(tmp_path).resend_api_url == "https://api.resend.com"
    assert load(tmp_path, RESEND_FROM="ann@example.com").resend_from == "ann@example.com"


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.app_env, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == settings.libpq_url == settings.listen_url == ""
    assert settings.completion_layers == ("live", "auto_sync", "sweep", "manual_sync")
    assert load(tmp_path, PORT="", DATABASE_URL=" ", N8N_WEBHOOK_SECRET="") == settings


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_a_postgresql_address_is_normalised(tmp_path: Path, scheme: str) -> None:
    settings = load(tmp_path, DATABASE_URL=f"{scheme}://u:p%40ss@db:5432/chat?sslmode=require")
    rest = "u:p%40ss@db:5432/chat?sslmode=require"
    assert settings.database_url == f"postgresql+psycopg2://{rest}"
    assert settings.libpq_url == settings.listen_url == f"postgresql://{rest}"


def test_listening_may_go_another_way_than_queries(tmp_path: Path) -> None:
    settings = load(
        tmp_path, DATABASE_URL="postgres://pool/chat", DATABASE_LISTEN_URL="postgres://db/chat"
    )
    assert settings.listen_url == "postgresql://db/chat"
    assert settings.libpq_url == "postgresql://pool/chat"


def test_an_embedded_address_with_a_socket_is_understood(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL="postgresql://postgres:@/postgres?host=/run/p5")
    assert settings.libpq_url == "postgresql://postgres:@/postgres?host=/run/p5"


def test_the_development_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = load(tmp_path / "instance")
    assert len(first.secret_keys[0]) >= 32
    assert load(tmp_path / "instance").secret_keys == first.secret_keys
    kept = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_a_folder_that_cannot_keep_the_key_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match=r"SECRET_KEY is not set and .* cannot be kept"):
        load(tmp_path / "file")


def test_production_needs_a_long_key_and_keeps_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY is not set; production needs one"):
        load(tmp_path, APP_ENV="production")
    with pytest.raises(ConfigError, match="each key needs at least 32 characters"):
        load(tmp_path, APP_ENV="production", SECRET_KEY=f"{LONG},short")
    settings = load(tmp_path, **PRODUCTION)
    assert settings.flask_config()["SESSION_COOKIE_SECURE"] is True
    assert not list(tmp_path.iterdir())


def test_two_keys_are_newest_first(tmp_path: Path) -> None:
    settings = load(tmp_path, SECRET_KEY="new-key, old-key")
    assert settings.secret_keys == ("new-key", "old-key")
    assert settings.flask_config()["SECRET_KEY"] == "new-key"
    assert settings.flask_config()["SECRET_KEY_FALLBACKS"] == ["old-key"]


def test_lists_and_switches_are_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        COMPLETION_LAYERS="live, sweep",
        RATELIMIT_ENABLED="False",
        N8N_WEBHOOK_SECRET="whsec_bmV3,whsec_b2xk",
        N8N_AUTH_HEADER_NAME="X-Token",
        N8N_AUTH_HEADER_VALUE="Bearer abc",
        HOST="0.0.0.0",  # noqa: S104 - never bound
        PORT="8080",
        ADMIN_EMAIL="Ann@Example.com",
        OUTBOUND_ALLOW="10.0.0.0/8, 192.168.1.20,fd00::/8",
        OPENAI_BASE_URL="https://ann.openai.azure.com/openai?api-version=1",
        OPENAI_API_KEY="sk-abc",
        OPENAI_MODEL="gpt-4o-mini",
    )
    assert settings.openai_base_url == "https://ann.openai.azure.com/openai?api-version=1"
    assert (settings.openai_api_key, settings.openai_model) == ("sk-abc", "gpt-4o-mini")
    assert settings.outbound_allow == ("10.0.0.0/8", "192.168.1.20/32", "fd00::/8")
    assert settings.completion_layers == ("live", "sweep")
    assert settings.ratelimit_enabled is False
    assert settings.n8n_webhook_secrets == ("whsec_bmV3", "whsec_b2xk")
    assert settings.n8n_auth_header_name == "X-Token"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.admin_email == "ann@example.com"


def test_a_child_process_gets_our_environment_and_the_changes() -> None:
    assert child_environment(DATABASE_URL="postgresql://x/y")["DATABASE_URL"] == "postgresql://x/y"


def test_the_example_file_names_every_setting_and_loads(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    written = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", example, flags=re.MULTILINE))
    read = set(re.findall(r'"([A-Z][A-Z0-9_]{3,})"', _body_of_load()))
    assert set(written) == read
    assert load(tmp_path, **written) == load(tmp_path)


def test_the_interface_page_names_every_setting() -> None:
    page = (ROOT / "docs" / "interface.md").read_text()
    read = set(re.findall(r'"([A-Z][A-Z0-9_]{3,})"', _body_of_load()))
    assert {name for name in read if f"`{name}`" not in page} == set()


def _body_of_load() -> str:
    source = (ROOT / "config.py").read_text()
    return source[source.index("def load(") : source.index("def flask_config(")]


def test_an_unreadable_env_file_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfeP\x00")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.delenv("APP_ENV", raising=False)
    with pytest.raises(ConfigError, match=r"\.env cannot be read as UTF-8 text"):
        Settings.load()


def test_n8ns_memory_is_the_table_it_makes_and_in_our_database(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.n8n_memory_table == "n8n_chat_histories"
    assert settings.n8n_memory_database_url == ""
    elsewhere = load(
        tmp_path, N8N_MEMORY_DATABASE_URL="postgres://u@h/n8n", N8N_MEMORY_TABLE="N8n.Chats"
    )
    assert elsewhere.n8n_memory_table == "n8n.chats"
    assert elsewhere.n8n_memory_database_url == "postgresql+psycopg2://u@h/n8n"
