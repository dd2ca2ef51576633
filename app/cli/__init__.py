"""The `flask` command's own groups."""

from __future__ import annotations

from flask import Flask

from app.cli import database, users


def register(app: Flask) -> None:
    app.cli.add_command(users.group)
    for command in database.commands:
        app.cli.add_command(command)
