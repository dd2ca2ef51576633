"""How one setting is read and checked. Each error is one line: variable, what is wrong, example."""

from __future__ import annotations

import base64
import binascii
import contextlib
import importlib.util
import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import idna
import pytz
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

Env = Mapping[str, str]

SHORTEST_SECRET_KEY = 32
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 500


class ConfigError(Exception):
    """A setting is wrong; the message is one line for the person who starts the program."""


def _wrong(name: str, problem: str, example: str) -> ConfigError:
    return ConfigError(f"{name} {problem}. Example: {name}={example}")


def choice(env: Env, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise _wrong(name, f"is {value!r}; it can be {' or '.join(allowed)}", allowed[0])
    return value


def choices(env: Env, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """A comma-separated selection; not set: all of them."""
    if name not in env:
        return allowed
    chosen = tuple(part.strip() for part in env[name].split(",") if part.strip())
    unknown = [part for part in chosen if part not in allowed]
    if unknown or not chosen:
        problem = f"names {unknown[0]!r}" if unknown else "names nothing"
        raise _wrong(name, f"{problem}; it can name {', '.join(allowed)}", ",".join(allowed))
    return chosen


def integer(env: Env, name: str, default: int, *, low: int, high: int) -> int:
    value = env.get(name, str(default))
    number = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1
    if not low <= number <= high:
        problem = f"is {value!r}; it must be a whole number from {low} to {high}"
        raise _wrong(name, problem, str(default))
    return number


def boolean(env: Env, name: str, *, default: bool) -> bool:
    value = env.get(name, str(default)).lower()
    if value in ("true", "1", "yes", "on"):
        return True
    if value in ("false", "0", "no", "off"):
        return False
    raise _wrong(name, f"is {value!r}; it can be true or false", str(default).lower())


def networks(env: Env, name: str) -> tuple[str, ...]:
    """Comma-separated networks or single addresses, as `10.0.0.0/8`."""
    example = "10.0.0.0/8,192.168.1.20"
    found = []
    for part in filter(None, map(str.strip, env.get(name, "").split(","))):
        try:
            found.append(str(ipaddress.ip_network(part)))
        except ValueError:
            raise _wrong(name, f"names {part!r}, not a network", example) from None
    return tuple(found)


def host(env: Env, name: str, default: str) -> str:
    value = env.get(name, default)
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
        raise _wrong(name, f"is {value!r}; it must be a host name or an IP address", default)
    return value


def web_address(env: Env, name: str) -> str:
    """An http or https address, or nothing."""
    value = env.get(name, "")
    if value and not _is_web_address(value):
        problem = "must be a whole address starting with http:// or https://"
        raise _wrong(name, problem, "https://example.com/path")
    return value


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
        host = parts.hostname or ""
        if not host.isascii():
            idna.encode(host, uts46=True)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and not re.search(r"\s", value)


def api_address(env: Env, name: str) -> str:
    """Where an API begins, without a password in it: that belongs into the API key."""
    value = web_address(env, name)
    parts = urlsplit(value)
    example = "https://api.openai.com/v1"
    if "@" in parts.netloc:
        raise _wrong(name, "must not hold a user name or a password", example)
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise _wrong(name, "must end before /chat/completions", example)
    return value


def api_key(env: Env, name: str) -> str:
    """A secret: never shown."""
    value = env.get(name, "")
    if value and not re.fullmatch(r"[\x21-\x7e]+", value):
        raise _wrong(name, "holds a character no API key can hold", "sk-abc123")
    return value


def model(env: Env, name: str) -> str:
    """A language model's name, as its server calls it."""
    value = env.get(name, "")
    if len(value) > 200 or (value and not value.isprintable()):
        raise _wrong(name, "is not the name of a model", "gpt-4o-mini")
    return value


def postgresql_url(env: Env, name: str) -> str:
    """What follows `postgresql://`, or nothing. The address may hold a password: never shown."""
    value = env.get(name, "")
    if not value:
        return ""
    scheme, _, rest = value.partition("://")
    example = "postgresql://user:password@localhost:5432/platform5ive"
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"):
        raise _wrong(name, "must be a PostgreSQL address starting with postgresql://", example)
    try:
        database = make_url(f"postgresql+psycopg2://{rest}").database
    except (ArgumentError, ValueError):
        raise _wrong(name, "is not an address that can be read", example) from None
    if not database:
        raise _wrong(name, "does not name a database after the host", example)
    return rest


def memory_table(env: Env, name: str, default: str) -> str:
    """A table's name as N8n accepts and makes it: in lower case, its schema before a dot."""
    value = env.get(name, default).lower()
    if not re.fullmatch(r"[a-z_][a-z0-9_$]{0,62}(\.[a-z_][a-z0-9_$]{0,62})?", value):
        problem = f"is {value!r}; it must be a table's name, or a schema, a dot and a table's name"
        raise _wrong(name, problem, default)
    return value.removeprefix("public.")


def email(env: Env, name: str) -> str:
    value = env.get(name, "")
    return _mailbox(name, value) if value else ""


def emails(env: Env, name: str) -> tuple[str, ...]:
    """Comma-separated e-mail addresses."""
    parts = filter(None, map(str.strip, env.get(name, "").split(",")))
    return tuple(dict.fromkeys(_mailbox(name, part) for part in parts))


def sender(env: Env, name: str, key_name: str) -> str:
    """Who letters come from, `a@b.c` or `Name <a@b.c>`. Needed where `key_name` is set."""
    value, example = env.get(name, ""), "Platform 5ive <chat@example.com>"
    if not value and env.get(key_name):
        raise _wrong(name, f"is not set while {key_name} is", example)
    named = re.fullmatch(r"[^<>]*[^<>\s]\s*<([^<>]+)>", value)
    if value:
        _mailbox(name, named[1] if named and value.isprintable() else value, example)
    return value


def _mailbox(name: str, value: str, example: str = "you@example.com") -> str:
    try:
        found = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise _wrong(name, f"is {value!r}, not an e-mail address", example) from None
    return found.normalized.lower()


def password(env: Env, name: str) -> str:
    value = env.get(name, "")
    if value and not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        problem = f"must be {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters long"
        raise _wrong(name, problem, "a-long-sentence-you-remember")
    return value


def timezone(env: Env, name: str, default: str) -> str:
    value = env.get(name, default)
    if value not in pytz.all_timezones_set:
        raise _wrong(name, f"is {value!r}, not a time zone we know", "Europe/London")
    return value


def ratelimit_storage(env: Env, name: str) -> str:
    value = env.get(name, "memory://")
    scheme = value.partition("://")[0]
    if scheme not in ("memory", "redis", "rediss"):
        raise _wrong(name, "must start with memory://, redis:// or rediss://", "redis://host:6379")
    if scheme != "memory" and importlib.util.find_spec("redis") is None:
        problem = "needs the Python package redis, which is not installed (pip install redis)"
        raise _wrong(name, problem, "memory://")
    return value


def webhook_secrets(env: Env, name: str) -> tuple[str, ...]:
    """One Standard Webhooks secret, or two while rotating."""
    example = "whsec_" + base64.b64encode(b"32 random bytes, in base64 form!").decode()
    found = _one_or_two(env, name, example)
    for secret in found:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not secret.startswith("whsec_") or not key:
            raise _wrong(name, "must be whsec_ followed by base64", example)
    return found


def header(env: Env, name: str, value_name: str) -> tuple[str, str]:
    """An HTTP header's name and value: both, or neither."""
    field, value = env.get(name, ""), env.get(value_name, "")
    if field and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", field):
        raise _wrong(name, f"is {field!r}, not the name of an HTTP header", "Authorization")
    if value and not re.fullmatch(r"[\x20-\x7e]+", value):
        raise _wrong(value_name, "holds a character no HTTP header may hold", "Bearer abc123")
    if field and not value:
        raise _wrong(value_name, f"is empty while {name} is set", "Bearer abc123")
    if value and not field:
        raise _wrong(name, f"is empty while {value_name} is set", "Authorization")
    return field, value


def secret_keys(env: Env, name: str, is_production: bool, kept_in: Path) -> tuple[str, ...]:
    """The signing key and, while rotating, an older one. Development makes and keeps its own."""
    example = "(the output of: python3 -c 'import secrets; print(secrets.token_hex(32))')"
    found = _one_or_two(env, name, example)
    if is_production and not found:
        raise _wrong(name, "is not set; production needs one", example)
    if is_production and min(map(len, found)) < SHORTEST_SECRET_KEY:
        problem = f"is too short; each key needs at least {SHORTEST_SECRET_KEY} characters"
        raise _wrong(name, problem, example)
    return found or (_kept_secret(name, kept_in),)


def _one_or_two(env: Env, name: str, example: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    if len(found) > 2:
        raise _wrong(
            name, "holds more than two values; give the new one, then the old one", example
        )
    return found


def _kept_secret(name: str, path: Path) -> str:
    """The key made at the first start, so that sign-ins survive a restart."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_hex(32))
        kept = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"{name} is not set and {path} cannot be kept: {error.strerror}. "
            f"Make the folder writable, or set {name} yourself."
        ) from error
    if not kept:
        raise ConfigError(
            f"{name} is not set and {path} is empty. Delete that file and start again."
        )
    return kept


def _write_once(path: Path, content: str) -> None:
    """Whole or not at all: a second process starting now must not read half a key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
