"""How gunicorn serves the app. The settings are read, and refused, here, before any fork."""

import signal
import sys
import threading

from flask import Flask

from app.chat.lease_keeper import release_all
from app.core import garbage
from app.core.db import db
from app.core.gate import THREADS
from app.core.http_server.worker import Worker
from app.core.live import hub
from app.core.server_log import GuardedLogger
from app.web.body import LARGEST_OF_ANY_ROUTE_BYTES
from config import ConfigError, Settings

try:
    settings = Settings.load()
    settings.check_web()
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
# gunicorn's threaded worker; a request gets a thread only once it has arrived whole.
worker_class = "app.core.http_server.worker.Worker"
Worker.largest_body_bytes = LARGEST_OF_ANY_ROUTE_BYTES + 64 * 1024  # chunks have line ends
# Behind a proxy every connection is the proxy's, and it is the proxy that counts per address.
Worker.most_per_address = 200 if settings.public_direct else None
# A turn holds a thread while the assistant thinks, and an open dashboard holds one for its event
# stream. Threads wait, they do not work, and they hold no database connection: many are cheap.
# `app.core.gate` keeps some of them free for short requests.
threads = THREADS
worker_connections = 2000
keepalive = 30
# The master kills a worker without a heartbeat for this long. It comes from the thread that only
# accepts connections: silence means that something holds the interpreter, never a slow answer.
timeout = 30
graceful_timeout = 8  # less than the ten seconds the supervisor gives
max_requests = 0
# gunicorn itself believes no header about where a request comes from or leads to: it trusts a peer
# or not, and behind a proxy every client speaks through a trusted peer. `app/web/forwarded` counts
# the proxies instead.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
sendfile = False  # it has no deadline for a client that does not read
control_socket_disable = True  # else it writes a socket into the home folder
accesslog = None
loglevel = "warning"
logger_class = GuardedLogger
proc_name = "platform5ive"


def post_worker_init(worker: Worker) -> None:
    garbage.look_less_often()
    _close_streams_on_stop(worker.wsgi)


def _close_streams_on_stop(app: Flask) -> None:
    """An open event stream is a request that never ends: it would use up the whole grace.

    Turns that are still being answered when the grace ends are given back first, so that they are
    nobody's death.
    """
    stop = signal.getsignal(signal.SIGTERM)

    def close_and_stop(number: int, frame: object) -> None:
        hub.close()
        giving_back = threading.Timer(graceful_timeout - 2, _give_turns_back, (app,))
        giving_back.daemon = True
        giving_back.start()
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, close_and_stop)


def _give_turns_back(app: Flask) -> None:
    with app.app_context():
        release_all(db.engine)
