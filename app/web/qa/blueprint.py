"""The blueprint of the review pages: they stand in the dashboard's frame."""

from __future__ import annotations

from flask import Blueprint

from app.web.frame.blueprint import frame
from app.web.page_headers import protect

blueprint = Blueprint("qa", __name__)
blueprint.after_request(protect)
blueprint.context_processor(frame)
