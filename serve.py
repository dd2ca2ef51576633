"""What `make run` starts: the whole product, kept running."""

import sys

from app import create_app
from app.cli.serve import main

if __name__ == "__main__":
    sys.exit(main(create_app))
