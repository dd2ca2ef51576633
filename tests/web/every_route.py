"""A request for every route of the product, with values its address converters take."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import IntegerConverter, UUIDConverter


def every_request(app: Flask) -> Iterator[tuple[str, str, str]]:
    """`(method, path, endpoint)`, and besides those an unknown address and a wrong method."""
    for rule in app.url_map.iter_rules():
        values: dict[str, object] = {}
        for name in rule.arguments:
            converter = rule._converters[name]
            if isinstance(converter, UUIDConverter):
                values[name] = uuid.UUID(int=1)
            else:
                values[name] = 1 if isinstance(converter, IntegerConverter) else "one"
        built = rule.build(values)
        assert built is not None, rule
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, built[1], rule.endpoint
    yield "GET", "/there/is/nothing", ""
    yield "POST", "/api/v1/nothing", ""
    yield "DELETE", "/healthz", ""
