"""Where the dashboard begins, and the notices above every page."""
