"""The `flask` command's own groups."""

from __future__ import annotations

from flask import Flask

from app.cli import database, doctor, keys, seed, sites, sync, users


def register(app: Flask) -> None:
    for group in (
        keys.group,
        sites.group,
        sync.group,
        users.group,
        *database.commands,
        doctor.command,
        seed.command,
    ):
        app.cli.add_command(group)
