"""What a visitor's line is about when it is no answer: a question, a refusal, a greeting."""

from __future__ import annotations

import re
from typing import Literal

Intent = Literal["identity", "human", "why", "goodbye", "thanks", "hello", "chatter", "question"]

_IDENTITY = re.compile(
    r"\b(?:(?:are|r) (?:you|u|this)|is this|am i (?:talking|speaking|chatting|writing) (?:to|with)|"
    r"you(?:'re| are)|it's)\b[^.!?]{0,30}\b(?:an? )?(?:(?:ro|chat ?)?bot|human|real|machine"
    r"|computer|"
    r"a\.?i|artificial|automat\w+|person|people|man|woman|alive)\b"
    r"|\bwho (?:are|r) (?:you|u)\b|\bwho(?:'s| is) (?:this|that|asking|there)\b"
    r"|\bwhat are you\b(?! (?:doing|offering|going))|\bwhat(?:'s| is) your name\b|\byour name\?"
    r"|\bwer (?:bist du|sind sie)\b|\bbist du (?:ein|echt)|\bsind sie (?:ein|echt)"
    r"|\bqui (?:es-tu|êtes-vous)|\b(?:es-tu|êtes-vous) un|\bquién (?:eres|es)\b|\beres (?:un"
    r"|humano)"
    r"|\bchi sei\b|\bsei un\b|\bkim jesteś",
    re.I,
)
_HUMAN = re.compile(
    r"\b(?:talk|speak|chat|transfer|connect|put me through|want|get|need|prefer)\b[^.!?]{0,25}"
    r"\b(?:human|person|someone|somebody|agent|operator|representative|advisor|real people|manager"
    r"|staff|colleague)\b(?! (?:to|who|that) (?!talk|speak|chat))",
    re.I,
)
_SKIP = re.compile(
    r"^(?:(?:oh|um|well|hm+|sorry|i'm sorry|please|ok|can we|can i|let's|let me|i'll|i will|just)"
    r"[\s,.!]+)*(?:skip|pass|stop\W*$|no(?:pe)?\W*$|nah\W*$|none(?:\b.{0,25})?$|nothing\W*$"
    r"|n/?a\W*$"
    r"|no,? (?:thank|"
    r"thx|need|way|comment|idea|e-?mail|phone|i (?:don't|do not|won't|would|'d|haven't)|rather"
    r"|sorry)"
    r"|i (?:don't|do not) want(?: to(?: say| tell| answer)?(?: (?:you|that|it|this))?)?\W*$"
    r"|i said (?:no|skip)\b"
    r"|not (?:now|really|applicable|necessary|telling|saying|today|for me|sharing|giving|needed)"
    r"|none of your|next(?: question)?\W*$|maybe later|later\W*$|never ?mind|i(?:'d"
    r"| would)? rather not"
    r"|rather not|(?:i(?:'d| would)? )?prefer not|leave (?:it|that) (?:out|blank|empty)"
    r"|nein(?:,? danke)?\W*$|überspringen|lieber nicht|non(?:,? merci)?\W*$|no,? (?:gracias|grazie)"
    r"|nie(?:,? dziękuję)?\W*$|nee(?:,? bedankt)?\W*$|não\W*$|-+$|—+$|/$)",
    re.I,
)
_REFUSAL = re.compile(
    r"\b(?:rather not|prefer not|(?:don't|do not) (?:want|have|like|wish|need|use|give|share|feel)"
    r"|don't (?:call|phone|ring|e-?mail)|haven't got|have no|got no"
    r"|won't (?:give|tell|say|share)|no (?:phone|e-?mail|number|mobile)|private|none of your"
    r"|not (?:going to|gonna|comfortable|willing|giving|telling|sharing)"
    r"|can't (?:say|give)|without (?:it|that|one))\b",
    re.I,
)
_UNSURE = re.compile(
    r"^(?:i )?(?:(?:don't|do not) know|dunno|no idea|not sure|unsure|can't say)\b|^i'm not sure\b"
    r"|^idk\W*$",
    re.I,
)
_THANKS = re.compile(
    r"^(?:ok(?:ay)?|great|perfect|super|cool|good|alright|brilliant|lovely|nice|wonderful)?[\s,.!]*"
    r"(?:many |no,? )?(?:thanks?|thank you|thx|ty|cheers|danke|merci|gracias|grazie|dziękuję"
    r"|obrigad[oa]"
    r"|bedankt)(?![^\W_])[^?@\d]{0,30}$",
    re.I,
)
_GOODBYE = re.compile(
    r"^(?:ok(?:ay)?[\s,.!]*|thanks?[\s,.!]*|thank you[\s,.!]*)*(?:good ?bye|bye(?: bye)?"
    r"|see (?:you|ya)"
    r"|have a (?:nice|good|great|lovely)|talk (?:soon|later)|good ?night|ciao|tschüss|adiós)\b"
    r"[^?@\d]{0,40}$",
    re.I,
)
_HELLO = re.compile(
    r"^(?:(?:hi+|hello|hey+|hiya|yo|howdy|greetings|hallo|hola|bonjour|salut|ciao|moin|servus|cześć"
    r"|olá|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening|day)|anyone|anybody"
    r"|there|all"
    r"|everyone|how are you(?: doing)?(?: today)?|how's it going|привет|שלום|مرحبا|你好|こんにちは)"
    r"[\s,.!?…👋😊🙂]*)+$",
    re.I,
)
_CHATTER = re.compile(
    r"^(?:(?:ok(?:ay)?|k|yes|yeah|yep|yup|sure|fine|great|cool|nice|good|perfect|alright"
    r"|all right|lol"
    r"|lmao|haha+|hehe+|hm+|um+|uh+|er+|ah+|oh+|wow|right|i see|got it|interesting|really|well"
    r"|so|test"
    r"|testing|one (?:moment|second|sec|minute)|just a (?:moment|second|sec|minute)|wait|hold on"
    r"|hang on|let me (?:think|see|check)|please|go ahead|sounds good|of course|sorry|oops"
    r"|no problem"
    r"|no worries|whatever|seriously|what|huh|pardon)(?![^\W_])[\s,.!?…]*)+$",
    re.I,
)
_SMALL_TALK = re.compile(
    r"\b(?:weather|joke|it's (?:raining|sunny|cold|hot)|how are you|you(?:'re| are) (?:funny"
    r"|nice|stupid"
    r"|useless|great)|i love you|i'm bored|nice to meet)\b",
    re.I,
)
_QUESTION = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|and|but|so|well|sorry|first|just|oh|also|actually|yes"
    r"|no)[\s,.!]+)*"
    r"(?:how|what|when|where|why|who|which|whose|do (?:you|i|we|they)|does|did you|can (?:you|i|we)"
    r"|could (?:you|i|we)|will (?:you|it|i|there|someone)|would (?:you|it)|is (?:it|there|that"
    r"|this|the)"
    r"|are (?:you|there|the|your)|have you|has|should i|may i|tell me|i(?:'d"
    r"| would) like to (?:know|ask)"
    r"|i have a question|i wonder|was kostet|wie viel|wann|cuánto|combien|quanto)\b",
    re.I,
)
_WHY = re.compile(
    r"^(?:but |and )?why\W*$|\b(?:why|what) (?:do|would|are|is|for do) (?:you|that|this"
    r"|it)\b[^?]{0,20}"
    r"\b(?:need|want|ask\w*|necessary|required)\b|\bwhat (?:do you need|is) (?:it|that"
    r"|this) for\b|^what for\b",
    re.I,
)
_STORY = re.compile(
    r"^(?:(?:hi|hello|hey|well|so|ok|okay|yes|and|but)[\s,.!]+)*(?:i|i'm|i'd|i've|we|we're|we'd"
    r"|we've"
    r"|our|my|there|it|the|this)\s",
    re.I,
)
_WORDLESS = re.compile(r"^[\W_]*$")


def intent_of(text: str) -> Intent | None:
    """What kind of talk this is, or None. `text` has straight apostrophes and no outer space."""
    if _IDENTITY.search(text):
        return "identity"
    if _HUMAN.search(text):
        return "human"
    if _WHY.search(text):
        return "why"
    if _GOODBYE.match(text):
        return "goodbye"
    if _THANKS.match(text):
        return "thanks"
    if _HELLO.match(text):
        return "hello"
    if _CHATTER.match(text) or _WORDLESS.match(text) or _SMALL_TALK.search(text):
        return "chatter"
    return "question" if is_question(text) else None


def is_question(text: str) -> bool:
    if _QUESTION.match(text):
        return True
    return text.endswith("?") and len(text.split()) > 2


def is_skip(text: str) -> bool:
    """Whether the visitor passes over what was asked, whatever it was."""
    return _SKIP.match(text) is not None


def is_refusal(text: str) -> bool:
    """Whether the visitor does not want to give, or does not have, a detail such as a number."""
    return is_skip(text) or _REFUSAL.search(text) is not None or is_unsure(text)


def is_story(text: str) -> bool:
    """Whether the visitor tells something, where a name or an address was asked for."""
    return _STORY.match(text) is not None and len(text.split()) >= 4


def is_unsure(text: str) -> bool:
    return _UNSURE.search(text) is not None
