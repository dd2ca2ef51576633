"""What gunicorn and the `flask` command load."""

import sys

from app import create_app
from app.core.embedded import EmbeddedError
from config import ConfigError

try:
    app = create_app()
except (ConfigError, EmbeddedError) as error:
    sys.exit(str(error))
