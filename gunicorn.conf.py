"""How gunicorn serves the app. The settings are read, and refused, here, before any fork."""

import signal
import sys

from app.core import garbage
from app.core.live import hub
from app.core.server_log import GuardedLogger
from config import ConfigError, Settings

try:
    settings = Settings.load()
except ConfigError as error:
    sys.exit(str(error))
if not settings.database_url:
    sys.exit(
        "DATABASE_URL is not set. `make run` starts the embedded database; "
        "gunicorn by itself needs an address. Example: DATABASE_URL=postgresql://user@host/name"
    )

bind = (
    f"[{settings.host}]:{settings.port}"
    if ":" in settings.host
    else f"{settings.host}:{settings.port}"
)
workers = settings.web_concurrency
worker_class = "gthread"
# A turn holds a thread while the assistant thinks, and an open dashboard holds one for its event
# stream. Threads wait, they do not work, and they hold no database connection: many are cheap.
threads = 256
worker_connections = 2000
keepalive = 30
timeout = 60
graceful_timeout = 8  # less than the ten seconds the supervisor gives
max_requests = 0
# Without a proxy nobody may tell us the scheme; with one, ProxyFix counts the hops.
forwarded_allow_ips = "*" if settings.trusted_proxies else "127.0.0.1,::1"
control_socket_disable = True  # else it writes a socket into the home folder
accesslog = None
loglevel = "warning"
logger_class = GuardedLogger
proc_name = "platform5ive"


def post_worker_init(worker: object) -> None:
    garbage.look_less_often()
    _close_streams_on_stop()


def _close_streams_on_stop() -> None:
    """An open event stream is a request that never ends: it would use up the whole grace."""
    stop = signal.getsignal(signal.SIGTERM)

    def close_and_stop(number: int, frame: object) -> None:
        hub.close()
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, close_and_stop)
