"""On the command line an error is a sentence, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from app.core.errors import AppError, Invalid
from app.core.safe_text import indented

P = ParamSpec("P")
R = TypeVar("R")


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Say what was wrong and end with exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(indented(_words(error))) from error

    return wrapped


def _words(error: AppError) -> str:
    if isinstance(error, Invalid):
        return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.errors.items())
    return error.detail
