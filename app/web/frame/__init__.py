"""The layout around every dashboard page: context, live stream, HTML helpers, shared labels."""
