"""API keys as the command line creates them."""

from __future__ import annotations

from flask import Flask


def make_key(app: Flask, *arguments: str) -> str:
    """What `flask keys create` prints."""
    result = app.test_cli_runner().invoke(args=["keys", "create", "--name", "N8n", *arguments])
    assert result.exit_code == 0, result.output
    return str(result.stdout).strip().splitlines()[-1]
