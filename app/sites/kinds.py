"""Kinds of values as people type them: text, numbers, a host, the address of a service."""

from __future__ import annotations

import re
import socket
import unicodedata
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError, fields, validate

from app.core.hostnames import ascii_host, ascii_origin
from app.core.networks import may_be_typed

# With or without marks between the thousands.
_WHOLE = re.compile(r"-?[0-9]{1,18}|[0-9]{1,3}(?:([, \u00a0\u2009\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_ONE_HOST = "Please give a host like www.example.com."
_ADDRESS = "Please give a whole address, like https://n8n.example.com/webhook/…/chat."


class Text(fields.String):
    """Text that can be stored and shown: no control characters besides newline and tab."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, *args, **kwargs))
        if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in text):
            raise ValidationError("Please remove the control characters.")
        return text


class Prose(Text):
    """Text of several lines, at most `longest` characters, without space around it."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        most = f"Please use at most {longest:,} characters."
        super().__init__(validate=validate.Length(max=longest, error=most), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        typed = value.replace("\r\n", "\n") if isinstance(value, str) else value
        return super()._deserialize(typed, *args, **kwargs).strip()


class WholeNumber(fields.Integer):
    """5000000, also written 5,000,000."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        told = f"Use a whole number from {low:,} to {high:,}."
        super().__init__(
            strict=True,
            validate=validate.Range(low, high, error=told),
            error_messages={"invalid": told, "too_large": told},
            **kwargs,
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(re.sub(r"[^0-9-]", "", value))
        return super()._deserialize(value, *args, **kwargs)


class Amount(fields.Float):
    """An amount of money, in US dollars: 0.5, 20."""

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        told = f"Use an amount from {low:g} to {high:,.0f} dollars, like 2.50."
        super().__init__(
            validate=validate.Range(low, high, error=told),
            error_messages={"invalid": told, "too_large": told, "special": told},
            **kwargs,
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if isinstance(value, str):
            value = value.strip().removeprefix("$")
        return super()._deserialize(value, *args, **kwargs)


class Host(Text):
    """A host as browsers write it: `www.example.com`. A whole address is cut down to its host."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs).strip()
        try:
            host = ascii_host(urlsplit(text if "//" in text else f"//{text}").hostname or "")
        except ValueError as error:
            raise ValidationError(_ONE_HOST) from error
        if "*" in host or ":" in host:
            raise ValidationError(_ONE_HOST)
        return host


class Origin(Text):
    """An origin a site's pages have: `https://www.example.com`, with a port where it needs one. Its
    host is stored in ASCII, as a browser sends it.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if re.search(r"[\s;,'\"@]", text):
            raise ValidationError("Please give one address, like https://example.com.")
        origin = ascii_origin(text)
        if origin is None:
            raise ValidationError("Please give an address like https://example.com.")
        parts = urlsplit(text)
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValidationError(
                "Please give an address like https://example.com, without a path."
            )
        return origin


class WebAddress(Text):
    """A whole http or https address without a password in it, or nothing.

    Refused at once where it plainly leads to a network that may not be reached. Where a name leads
    is looked at with each connection: it can change.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        address = super()._deserialize(value, *args, **kwargs).strip()
        if not address:
            return ""
        parts = _parts(address)
        if parts.username or parts.password:
            raise ValidationError(
                "Please leave the user name and password out of the address: "
                "they have fields of their own."
            )
        if (ip := _ip_of(parts.hostname or "")) and not may_be_typed(ip):
            raise ValidationError(
                "This leads into a network that is not public. The server's OUTBOUND_ALLOW "
                "would have to name it."
            )
        return address


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        is_whole = "*" not in ascii_host(parts.hostname or "") and parts.port != 0
    except ValueError as error:
        raise ValidationError(_ADDRESS) from error
    if not is_whole or parts.scheme not in {"http", "https"} or re.search(r"\s", address):
        raise ValidationError(_ADDRESS)
    if len(address) > 2000:
        raise ValidationError("Please use at most 2,000 characters.")
    return parts


def _ip_of(host: str) -> str | None:
    """The IP address a host is written as, in any of the ways a connection understands."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001
    except OSError:
        return None
