"""Whether the port to serve on is free, and if not, what to do."""

from __future__ import annotations

import errno
import socket
import time

import psutil

#: What an earlier run leaves behind goes within a second or two.
PATIENCE_SECONDS = 4


class PortError(Exception):
    """The address cannot be served; the message is a sentence that says what to do."""


def check_free(host: str, port: int) -> None:
    """Raises PortError when `host`:`port` cannot be served."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (error := _try(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise PortError(_sentence(host, port, error))
        if time.monotonic() > deadline:
            raise PortError(
                f"Port {port} is in use{_by_whom(port)}. Stop the other program or start with "
                f"PORT={port + 1 if port < 65535 else 8000} make run"
            )
        time.sleep(0.25)


def reachable(host: str, port: int) -> tuple[str, int]:
    """Where a program on this machine reaches what is served there."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared


def _try(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            return error
    return None


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023: PORT=8000"
    return f"HOST is {host!r}, which is no address of this machine. Example: HOST=127.0.0.1"


def _by_whom(port: int) -> str:
    """` by nginx (process 123)`, where the system tells."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if is_it and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
