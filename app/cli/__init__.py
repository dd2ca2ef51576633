"""The `flask` command's own groups."""

from __future__ import annotations

from flask import Flask

from app.cli import database, keys, sites, users


def register(app: Flask) -> None:
    for group in (keys.group, sites.group, users.group, *database.commands):
        app.cli.add_command(group)
