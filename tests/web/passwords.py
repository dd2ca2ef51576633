"""Choosing a password by a link."""

from __future__ import annotations

import json
import re

from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.accounts import forgotten
from app.core.db import db, transaction
from app.delivery import sealed
from app.models import Delivery
from tests.web.forms import follow

NEW = "a good new password"
JOBS = (
    "SELECT args->>'user_id' FROM procrastinate_jobs WHERE task_name = 'send_forgotten' ORDER BY id"
)


def choose(client: FlaskClient, path: str, **data: str) -> str:
    return follow(client, path, path, **{"password": NEW, "again": NEW, **data})


def work() -> None:
    """What the worker does with the jobs."""
    db.session.remove()
    for user_id in db.session().scalars(text(JOBS)).all():
        forgotten.send(user_id)


def links() -> list[str]:
    with transaction() as session:
        found = session.scalars(select(Delivery).order_by(Delivery.created_at)).all()
    assert not [letter for letter in found if "/login/password/" in letter.body]
    letters = [json.loads(letter.body)["data"] for letter in found]
    return [
        re.findall(r"/login/password/[\w-]+", sealed.unseal(each)["text"])[0] for each in letters
    ]
