"""What the scripted assistant says. A site may replace any sentence in its `flow`, by key."""

from __future__ import annotations

import re
import unicodedata

from app.models.site_profile import Field, SiteProfile

SENTENCES = {
    "greeting": "Hello and welcome!",
    "hello": "Hello!",
    "welcome": "You're welcome!",
    "goodbye": "Goodbye, and have a nice day!",
    "pleased": "Nice to meet you, {name}.",
    "noted": "Thank you.",
    "noted_choice": "Got it.",
    "noted_besides": "Thank you, I have noted your {label}.",
    "changed": "Thanks, I have changed your {label} to {value}.",
    "changed_quietly": "Thanks, I have changed your {label}.",
    "story": "Thank you, a colleague will read that.",
    "left_as_it_was": "All right, I have left your {label} as it was.",
    "skipped": "No problem.",
    "required": "I understand. We do need your {label} for this, so I would be glad to have it.",
    "undecided": "That is quite all right. Just pick whatever comes closest.",
    "required_answer": "I understand. A few words are enough, they help us to help you.",
    "moved_on": "All right, let us go on without it.",
    "kept_as_typed": "Thank you, I have noted it just as you typed it.",
    "ask_again": "Of course. What is the right {label}?",
    "invalid_email": "That e-mail address does not look complete. "
    "Could you type it again, like name@example.com?",
    "invalid_phone": "That phone number does not look right. "
    "Could you type it again, with the area code?",
    "invalid_date": "I could not read that as a day. "
    "Could you give me a date like {example}, or say it in words, like next Tuesday?",
    "invalid_choice": "I am not sure I understood. Please pick one of these, or describe it.",
    "invalid_name": "I did not quite catch your name. Could you type it again?",
    "invalid_text": "I did not quite catch that. Could you say it in a few words?",
    "identity": "I am an automated assistant, not a person. "
    "I take down what you need, and a real colleague gets in touch with you.",
    "human": "I am an automated assistant. A real colleague reads this chat and will get in touch.",
    "colleague": "That is a good question. A colleague will answer that when they get in touch.",
    "why": "Only so that a colleague can get back to you about your request.",
    "consent": "May we use your details to get in touch with you about your request?",
    "consent_first": "Before I keep that, I need to ask you something.",
    "consent_unclear": "Please answer with yes or no, so that I do it right.",
    "refused": "I understand. I will not keep any contact details, and nobody will contact you. "
    "If you change your mind, just tell me that we may contact you.",
    "still_refused": "I have not kept any contact details. "
    "If you would like to hear from us after all, just tell me that we may contact you.",
    "needs_contact": "To book this for you, I need one way to reach you. "
    "You can give me an e-mail address or a phone number here whenever you like.",
    "confirmation": "Thank you, {name}! "
    "Your request is booked and we will contact you within 24 hours.",
    "anything_else": "Is there anything else you would like to tell us?",
    "took_over": "Sorry, I could not answer that properly just now.",
    "given_up": "Sorry, I'm having trouble answering that right now. "
    "Someone from the team will read it.",
    "afterwards": "Thank you, our team will read that, too.",
}

_LABELS = {"email": "e-mail", "phone": "phone number", "name": "name"}
_PLACEHOLDERS = {
    "email": "name@example.com",
    "phone": "Your phone number",
    "date": "YYYY-MM-DD, or in your own words",
    "choice": "Pick one, or type your own answer",
    "text": "Type your answer",
}
_NAMELESS = re.compile(r"(?:[,،、]|(?<!\s))\s*+\{name\}")
_SPACES = re.compile(r"\s+")
_MARKS = re.compile(r"[\W_]+")
#: A letter or digit, but of a script that is written with spaces: a phrase does not end beside it.
_JOINED_BEFORE, _JOINED_AFTER = r"(?<![^\W\u0e00-\U0010ffff])", r"(?![^\W\u0e00-\U0010ffff])"


def say(site: SiteProfile, key: str, **values: str) -> str:
    sentence = (site.flow or {}).get(key) or SENTENCES[key]
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", value)
    return sentence


def label_of(field: Field) -> str:
    """What the field is called inside a sentence."""
    return _LABELS.get(field.key) or field.key.replace("_", " ")


def placeholder_of(field: Field) -> str:
    return "Your name" if field.key == "name" else _PLACEHOLDERS[field.type]


def confirmation(site: SiteProfile, name: str | None) -> str:
    """The booking sentence, with the visitor's name, and with a phrase that completes a session."""
    text = site.confirmation.strip() or say(site, "confirmation")
    text = text.replace("{name}", name) if name else _NAMELESS.sub("", text)
    if site.phrases and not says_phrase(site, text):
        text = f"{text} {_sentence_of(site.phrases[0])}"
    return text


def says_phrase(site: SiteProfile, text: str) -> bool:
    """Whether the text promises the booking, compared simply."""
    plain = _plain(text)
    return any(
        re.search(_JOINED_BEFORE + re.escape(_plain(phrase)) + _JOINED_AFTER, plain)
        for phrase in site.phrases
    )


def can_be_repeated(site: SiteProfile, value: str) -> bool:
    """Whether a visitor's words may stand in a reply without reading as a booking promise."""
    squeezed = _MARKS.sub("", unicodedata.normalize("NFKC", value).casefold())
    telling = (w for phrase in site.phrases for w in _plain(phrase).split() if len(w) > 3)
    return len(value) <= 80 and not any(word in squeezed for word in telling)


def _sentence_of(phrase: str) -> str:
    phrase = phrase.strip().rstrip(".")
    if phrase.casefold().startswith(("within ", "in ")):
        return f"We will contact you {phrase}."
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text.casefold()).strip()
