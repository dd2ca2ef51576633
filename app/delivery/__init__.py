"""The outbox: what must reach another system, kept until it has."""

from app.delivery.settings import configure

__all__ = ["configure"]
