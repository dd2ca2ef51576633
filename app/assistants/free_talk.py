"""What the assistants share that talk freely: their greeting, and what they ask a visitor for."""

from __future__ import annotations

import re
from dataclasses import replace

from app.assistants.base import NOTHING_USED, Call, Reply, Usage
from app.assistants.scripted_flow import CONSENT_FIELD, FREE_INPUT, input_for
from app.assistants.scripted_words import label_of, say
from app.leads.agreement import CONSENT, is_contact_detail, may_keep_contact_details
from app.leads.learnt import field_for
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Draft, Transcript

_QUESTION_MARKS = "?？؟"
#: A run of words and the question marks behind it, if it is a question. To look for questions
#: alone would take a long text without one apart again from each of its characters.
_SENTENCE = re.compile(rf"([^.!{_QUESTION_MARKS}\n]+)([{_QUESTION_MARKS}]*)")
_WORD = re.compile(r"[^\W_]+")
_TELLING = {
    "email": re.compile(r"\be-?mail|\bmail address", re.I),
    "phone": re.compile(r"\bphone|\btelephone|\bmobile number|\bcell number", re.I),
    "name": re.compile(r"\byour (?:full |first |last )?name\b|\bmay i call you\b", re.I),
    "company": re.compile(r"\bcompany\b", re.I),
}
_ALIKE = 0.6


def opening(site: SiteProfile) -> list[Reply]:
    """The greeting; what is asked is the assistant's to decide."""
    return [Reply(site.greeting.strip() or say(site, "greeting"), FREE_INPUT, Draft())]


def reply_of(
    text: str,
    transcript: Transcript,
    draft: Draft,
    site: SiteProfile,
    *,
    asks_for: str | None,
    confirms_booking: bool = False,
    calls: tuple[Call, ...] = (),
    usage: Usage = NOTHING_USED,
) -> Reply:
    """The Reply, with the input and `draft.asking` of the field that is asked for.

    `asks_for`: its key, as the assistant names it; otherwise it is guessed where the text ends
    with its only question and just one open field fits. Consent counts as asked for only where the
    site's own question stands in the text: nobody agrees to other words.
    """
    field = None
    if not confirms_booking:
        field = _named(asks_for, text, draft, site)
        if field is None and not transcript.is_completed:
            field = _guessed(text, draft, site)
    is_repeated = field is not None and transcript.draft.asking == field.key
    draft = replace(
        draft,
        asking=field.key if field else None,
        attempts=transcript.draft.attempts if is_repeated else 0,
    )
    return Reply(
        text,
        input_for(field) if field else FREE_INPUT,
        draft,
        confirms_booking=confirms_booking,
        calls=calls,
        usage=usage,
    )


def consent_question(site: SiteProfile) -> str:
    """What a visitor is asked before contact details are kept."""
    return site.consent.text.strip() or say(site, "consent")


def asks_consent(text: str, site: SiteProfile) -> bool:
    """Whether the site's own consent question stands in the text."""
    return " ".join(_words(consent_question(site))) in " ".join(_words(text))


def _named(key: str | None, text: str, draft: Draft, site: SiteProfile) -> Field | None:
    if key is None:
        return None
    if key == CONSENT:
        is_asked = _lacks_consent(draft, site) and asks_consent(text, site)
        return CONSENT_FIELD if is_asked else None
    field = field_for(site, key)
    return field if field and _may_be_asked(field, draft, site) else None


def _guessed(text: str, draft: Draft, site: SiteProfile) -> Field | None:
    if _lacks_consent(draft, site) and asks_consent(text, site):
        return CONSENT_FIELD
    questions = [words + marks for words, marks in _SENTENCE.findall(text) if marks]
    if len(questions) != 1 or text.rstrip().rstrip(")\"'”»*_")[-1:] not in _QUESTION_MARKS:
        return None
    is_known = draft.answers.keys() | draft.skipped
    fitting = [
        field
        for field in site.fields
        if field.key not in is_known
        and _may_be_asked(field, draft, site)
        and _fits(field, questions[0])
    ]
    return fitting[0] if len(fitting) == 1 else None


def _may_be_asked(field: Field, draft: Draft, site: SiteProfile) -> bool:
    return not is_contact_detail(field) or may_keep_contact_details(draft, site)


def _lacks_consent(draft: Draft, site: SiteProfile) -> bool:
    return site.consent.mode == "question" and draft.consent != "given"


def _fits(field: Field, question: str) -> bool:
    telling = _TELLING.get(field.key) or _TELLING.get(field.type)
    if telling is not None:
        return telling.search(question) is not None or _is_alike(field.question, question)
    words = f" {' '.join(_words(question))} "
    named = [c for c in field.choices if f" {' '.join(_words(c.label))} " in words]
    is_labelled = f" {' '.join(_words(label_of(field)))} " in words
    return len(named) > 1 or is_labelled or _is_alike(field.question, question)


def _is_alike(one: str, other: str) -> bool:
    ours, theirs = set(_words(one)), set(_words(other))
    return bool(ours and theirs) and len(ours & theirs) / len(ours | theirs) >= _ALIKE


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
