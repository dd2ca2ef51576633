"""The API's blueprint, and how its views read a query."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema

from app.core.errors import Invalid

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Answers hold tokens and visitors' data: no cache keeps a copy."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def query(schema: Schema) -> dict[str, Any]:
    """The request's query parameters, checked; unknown ones are refused by name."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Invalid({name: ["Please give this once."] for name in repeated})
    loaded: dict[str, Any] = schema.load(request.args.to_dict())
    return loaded
