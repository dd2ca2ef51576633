"""What admins do on the settings page: send themselves a test email."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.core.db import transaction
from app.core.errors import Denied
from app.delivery import letters
from app.web.audit import note
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.post("/settings/test-letter")
@requires("settings:write")
def send_test_letter() -> ResponseReturnValue:
    """To who asks, and to nobody else: this is no way to write to strangers."""
    identity = current_identity()
    if identity is None or not identity.email:
        raise Denied("A key has no e-mail address a letter could go to.")
    with transaction() as session:
        delivery_id = letters.enqueue_test(session, identity.email)
        note(session, "letter.tested", "delivery", delivery_id)
    flash(
        f"A test letter is on its way to {identity.email}."
        if letters.destination() == "email"
        else "The test letter is shown on the console, because no mail service is set up."
    )
    return redirect(url_for("dashboard.settings"))
