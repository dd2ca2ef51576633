"""gunicorn's logger, with request lines and paths that cannot forge a line of the log."""

from __future__ import annotations

from gunicorn.config import Config
from gunicorn.glogging import Logger

from app.core.logs import guard


class GuardedLogger(Logger):  # type: ignore[misc]
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        guard(self.error_log)
        guard(self.access_log)
