"""Attacks on a running product: each module is one, bounded in count and time."""
