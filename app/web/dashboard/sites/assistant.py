"""`/sites/<key>/assistant`: who answers a site's visitors, its settings, a chat to try them in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.assistants.prompt import system_prompt
from app.assistants.registry import assistant_for
from app.chat.assistant_state import day_of
from app.chat.trial import Tried, try_out
from app.completion.detection import compile_phrases
from app.core import clock
from app.core.db import db, release, transaction
from app.core.errors import Busy, Invalid
from app.core.gate import long_requests
from app.core.hostnames import readable_host
from app.models import Site
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Input, Line
from app.reporting.assistants import lately
from app.sites.assistant import OF_ASSISTANT
from app.sites.chat_access import access_kind, is_readable
from app.sites.edit import change_site, proposed
from app.sites.find import find_site
from app.sites.rules import lines_of
from app.web.audit import note
from app.web.body import read_json
from app.web.dashboard.sites.trial_schemas import LARGEST_TRIAL_BYTES, TrialSchema
from app.web.frame.blueprint import blueprint
from app.web.guards import requires

FIELDS = ("assistant", *sorted(OF_ASSISTANT))
#: Typed into the page, and never written into it.
SECRETS = ("chat_header_value", "chat_password")
trial_schema = TrialSchema()


@dataclass(frozen=True, slots=True)
class ShownReply:
    """An assistant's answer on the page, and what the browser is to remember of it."""

    conversation: uuid.UUID
    said: list[Line]
    draft: Draft
    choices: list[str]
    books: bool = False

    def to_json(self) -> dict[str, Any]:
        lines = [{"role": line.role, "text": line.text, "field": line.field} for line in self.said]
        draft = self.draft.to_json()
        return {"conversation": str(self.conversation), "lines": lines, "draft": draft}


@blueprint.get("/sites/<key>/assistant", endpoint="site_assistant")
@requires("sites:write")
def show_assistant(key: str) -> ResponseReturnValue:
    found = find_site(db.session(), key)
    return _page(found, _stored(found))


@blueprint.post("/sites/<key>/assistant")
@requires("sites:write")
def save_assistant(key: str) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    try:
        with transaction() as session:
            change_site(session, key, _values(typed))
            note(session, "site.assistant_changed", "site", key)
    except Invalid as error:
        return _page(find_site(db.session(), key), typed, _errors_by_field(typed, error)), 422
    flash("The settings are saved. The next answer is made with them.")
    return redirect(url_for("dashboard.site_assistant", key=key))


@blueprint.post("/sites/<key>/assistant/trials")
@requires("sites:write")
def try_assistant(key: str) -> ResponseReturnValue:
    """Answers with the settings as they are typed; nothing of it is stored."""
    asked = read_json(trial_schema, LARGEST_TRIAL_BYTES)
    found = find_site(db.session(), key)
    try:
        profile = proposed(found, _values(asked["settings"]))
    except Invalid as error:
        return render_template("dashboard/sites/_trial_refused.html", errors=error.errors), 422
    release()  # no connection is held while somebody thinks
    if not asked["lines"]:
        return _tried(profile, _opening(profile))
    conversation, lines = asked["conversation"], asked["lines"]
    try:
        with long_requests.enter(found.id):
            tried = try_out(profile, found.id, lines, asked["draft"], conversation)
    except Busy as error:
        return render_template("dashboard/sites/_trial_busy.html", detail=error.detail), 503
    return _tried(profile, _answer(profile, tried, lines, conversation), tried)


def _page(
    found: Site, values: Mapping[str, str], errors: Mapping[str, list[str]] | None = None
) -> str:
    profile = found.profile()
    return render_template(
        "dashboard/sites/assistant.html",
        site=found,
        values=values,
        errors=errors or {},
        has_secret=bool(profile.ai.chat_header_sealed),
        is_secret_readable=is_readable(profile.ai),
        lately=lately(db.session(), found, day_of(profile, clock.now())),
        ai=profile.ai,
        server=current_app.extensions["settings"],
        **_of_trial(profile, _opening(profile)),
    )


def _tried(profile: SiteProfile, shown: ShownReply, tried: Tried | None = None) -> str:
    return render_template(
        "dashboard/sites/_tried.html", is_alone=True, tried=tried, **_of_trial(profile, shown)
    )


def _of_trial(profile: SiteProfile, shown: ShownReply) -> dict[str, Any]:
    return {
        "shown": shown,
        "profile": profile,
        "prompt": system_prompt(profile) if profile.assistant == "openai" else "",
    }


def _opening(profile: SiteProfile) -> ShownReply:
    replies = assistant_for(profile).opening(profile)
    lines = [Line(0, "assistant", reply.text, clock.now(), reply.input.field) for reply in replies]
    return ShownReply(uuid.uuid4(), lines, replies[-1].draft, _labels(replies[-1].input))


def _answer(
    profile: SiteProfile, tried: Tried, lines: Sequence[Line], conversation: uuid.UUID
) -> ShownReply:
    """What was answered to the last of these lines."""
    if tried.failure:
        return ShownReply(conversation, [], tried.draft, [])
    said = Line(lines[-1].id + 1, "assistant", tried.text, clock.now(), tried.input.field)
    rule = compile_phrases(profile.phrases, profile.exclusions)
    books = tried.confirms_booking or rule.find(tried.text) is not None
    return ShownReply(conversation, [said], tried.draft, _labels(tried.input), books)


def _labels(next_input: Input) -> list[str]:
    return [choice.label for choice in next_input.choices]


def _stored(found: Site) -> dict[str, str]:
    ai = AssistantSettings.from_json(found.assistant_settings)
    values = {name: _as_text(value) for name, value in ai.to_json().items()}
    values["link_hosts"] = _as_text([readable_host(host) for host in ai.link_hosts])
    kind = access_kind(ai)
    kept_name = ai.chat_header_name if kind == "header" else ""
    return {
        **dict.fromkeys(FIELDS, ""),
        **values,
        "assistant": found.assistant,
        "chat_access": kind,
        "chat_header_name": kept_name,
    }


def _as_text(value: object) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.10g}"
        case tuple() | list():
            return "\n".join(value)
    return str(value)


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as the schema takes it."""
    values: dict[str, Any] = {
        name: value if name in SECRETS else value.strip()
        for name, value in typed.items()
        if name in FIELDS
    }
    if "link_hosts" in values:
        values["link_hosts"] = lines_of(values["link_hosts"])
    return values


def _errors_by_field(typed: Mapping[str, str], error: Invalid) -> dict[str, list[str]]:
    """What is wrong, by field; a wrong line of a list is named by its words."""
    errors: dict[str, list[str]] = {}
    for name, sentences in error.errors.items():
        field, _, number = name.partition(".")
        if re.fullmatch(r"\d+", number):
            line = f"“{lines_of(typed[field])[int(number)][:60]}”: "
        else:
            line = ""
        errors.setdefault(field, []).extend(line + sentence for sentence in sentences)
    return errors
