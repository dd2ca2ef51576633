"""Deliveries: what was sent where, and with what result."""
