"""The widget's blueprint: the pages it is loaded from and the JSON it speaks."""

from __future__ import annotations

from flask import Blueprint
from flask_cors import CORS

blueprint = Blueprint("widget", __name__)
# The loader asks from whatever page it stands on, and must be able to read a refusal, too.
CORS(blueprint, resources={r"/widget/[^/]+/look": {"origins": "*"}}, send_wildcard=True)
