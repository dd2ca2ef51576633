"""Names in what people write: "my name is …", "I'm Ann", or the bare answer to "your name?"."""

from __future__ import annotations

import re
from typing import NamedTuple


class NameFound(NamedTuple):
    """`is_sure`: said outright ("my name is …"), not only implied ("I'm …")."""

    value: str
    is_sure: bool


_GREETING = (
    r"(?:(?:hi|hello|hey|hiya|hallo|hola|bonjour|ciao|good (?:morning|afternoon|evening)|sure|ok"
    r"|all right|alright|fine|"
    r"okay|yes|yeah|well|oh|of course)(?: there)?\b[\s,.!:-]*){0,4}"
)
#: A name, or none where there is a blank and no name behind it: then none is looked for further on.
_NAME = r"(?P<name>[^,;:!?\n()]{1,80}|(?<=[^\S\n]))"
_SURE = re.compile(
    r"\b(?:my name (?:isn't|is not) [^,;]{1,40}[,;]\s*+(?:but|it's|it is)"
    r"|(?:my|the|full|first|her|his)\s+(?:full |first |real )?name(?:'s| is\b(?!n't)| was\b|:"
    r"|\s+should be)|my name,|name\s*(?::|=)|change (?:my |the )?name to|call me|i(?:'m| am) called"
    r"|ich heiße|ich heisse|mein name ist|je m'appelle|me llamo|mi nombre es|mi chiamo|ik heet"
    r"|mijn naam is|nazywam się|mam na imię|jag heter|meu nome é|me chamo|меня зовут)"
    r"\s*+(?:actually |in fact |really )?(?:(?:spelled|spelt|written)\s*+(?:as |like )?:?)?"
    rf"\s*+{_NAME}",
    re.I,
)
_SPELLED = re.compile(
    r"\b(?:it's|it is|that's|is|name)\s++(?:spelled|spelt|written)\s*+(?:as |like )?:?\s*+"
    rf"{_NAME}",
    re.I,
)
_IMPLIED = re.compile(
    rf"(?:^|[.!?,;\n][^\S\n]*+|\band\s++){_GREETING}"
    r"(?:i'm|i am|im|this is|ich bin|je suis|soy|sono)\s++(?P<name>[^,;:!?\n()]{1,80})",
    re.I,
)
_HERE = re.compile(
    rf"^{_GREETING}(?P<name>[^,;:!?\n()]{{1,60}}?)(?<![\s,])[\s,]++(?:here|speaking)"
    r"(?:\s|[.!,]*+(?:$|\s))",
    re.I,
)
_ANSWER_LEAD = re.compile(
    rf"^{_GREETING}(?:(?:it's|it is|its|i'm|i am|im|this is|that's|that is|that would be"
    r"|name(?: is)?|you can call me|just call me"
    r"|just|the name is|the name's|ich bin|je suis|c'est|soy|sono)\s+"
    r"(?=\S))?",
    re.I,
)
_ANSWER_TAIL = re.compile(
    r"(?<![\s,])[\s,]++(?:here|speaking|please|thanks|thank you|is my name|is the name)\s*$", re.I
)
_SPACES = re.compile(r"[^\S\n]+")
_MAX_CHARACTERS = 500
_LETTERS_APART = re.compile(r"\b\w(?:[-. ]\w\b){2,}")
_EDGES = ' \t\r\n,;:.!?"“”«»*_-–'


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words after which a name is over.
_AFTER_NAME = _words_of(
    """
    and from but i i'm im i'd i've my our we we're with at on in is was here please thanks thank
    speaking calling looking email e-mail mail phone number mobile tel by so because can could
    would who the for to again btw need needs want wants not this that you your und aus et y con
    or if now a an instead actually
    """
)
#: Words that begin no name, though "I'm …" may stand before them.
_NO_NAME = _AFTER_NAME | _words_of(
    """
    hi hello hey hiya yes yeah yep no nope ok okay sure looking interested just only very sorry
    unsure fine good great happy busy ready still also really afraid trying thinking wondering
    planning hoping writing asking moving renovating buying selling new done free available
    urgent about regarding his her it it's its what what's why how when where which wrong right
    correct all nothing none tired bored excited confused worried based located married retired
    concerned getting going having after quite too more some something someone anyone nobody
    kidding serious joking back fed sick lost stuck keen curious glad pleased happy unhappy
    disappointed angry ill well home there then than do does did don't didn't have has had are
    am be been it'll me mine us them they he she tomorrow today later never maybe perhaps
    british english german french spanish polish italian irish scottish welsh american dutch
    robot human bot person customer client homeowner owner help hmm hm um uh skip pass between
    around currently one two three give tell show stop test lol haha wow nice cool thx ty cheers
    bye goodbye nah any anything every everything always gonna means within
    """
)
_PARTICLES = _words_of(
    """
    van von der den de del della di da dos das du la le el al bin ibn ben ter ten zu zur af
    """
)
_TITLES = _words_of("dr mr mrs ms mx prof st jr sr")


def find_name(text: str) -> NameFound | None:
    """The name someone gives while saying something else, or None."""
    text = _start_of(text)
    for match in (_SURE.search(text), _SPELLED.search(text)):
        if match is None:
            continue
        name = _cut(match["name"])
        if name and not _is_no_name(name, must_be_capital=match[0].lower().startswith("call me")):
            return NameFound(_dressed(name), is_sure=True)
    for match in (_IMPLIED.search(text), _HERE.search(text)):
        name = _cut(match["name"]) if match else ""
        if name and len(name.split()) <= 4 and not _is_no_name(name, must_be_capital=True):
            return NameFound(_dressed(name), is_sure=False)
    return None


def read_name(text: str) -> str | None:
    """The name in an answer to "what is your name?", or None when it can hardly be one."""
    text = _start_of(text)
    if found := find_name(text):
        return found.value
    name = _ANSWER_LEAD.sub("", text, count=1)
    while (shorter := _ANSWER_TAIL.sub("", name.rstrip(_EDGES))) != name:
        name = shorter
    name = " ".join(name.strip(_EDGES[:-2]).split())
    if not name or len(name) > 80 or len(name.split()) > 6 or "@" in name or "?" in name:
        return None
    if "://" in name or not any(map(str.isalpha, name)) or _is_no_name(name, must_be_capital=False):
        return None
    words = name.split()
    if len(words) > 2 and any(_key(word) in _AFTER_NAME - {"y", "a", "i"} for word in words):
        return None
    return _dressed(_joined_letters(name))


def _start_of(text: str) -> str:
    """As much as a name is looked for in, with single spaces, so that no text is slow to read."""
    return _SPACES.sub(" ", text[:_MAX_CHARACTERS].replace("’", "'")).strip()


def _cut(text: str) -> str:
    """The words up to where the name is over."""
    kept: list[str] = []
    for word in text.split():
        if (kept and _key(word) in _AFTER_NAME) or len(kept) == 6:
            break
        kept.append(word)
        if word.endswith(".") and len(word) > 2 and _key(word) not in _TITLES:
            break
    return _joined_letters(" ".join(kept).strip(_EDGES[:-2]).strip())


def _joined_letters(name: str) -> str:
    """ "A-n-n-e" is somebody spelling Anne."""
    if match := _LETTERS_APART.search(name):
        letters = re.sub(r"[-. ]", "", match.group())
        return (
            name[: match.start()] + letters[:1].upper() + letters[1:].lower() + name[match.end() :]
        )
    return name


def _is_no_name(name: str, *, must_be_capital: bool) -> bool:
    first = name.split()[0]
    if _key(first) in _NO_NAME or not any(map(str.isalpha, name)) or first.isdecimal():
        return True
    if first[0].islower() and _key(first) not in _PARTICLES:
        return must_be_capital or (len(first) > 4 and first.endswith("ing"))
    return False


def _dressed(name: str) -> str:
    """A name typed all in small letters gets its capitals; anything else stays as typed."""
    if name != name.lower() or not name.isascii():
        return name if name != name.lower() else _capitals(name)
    return _capitals(name)


def _capitals(name: str) -> str:
    words = name.split(" ")
    return " ".join(
        word
        if index and word in _PARTICLES
        else re.sub(r"(^|[-']|\.)([^\W\d_])", lambda m: m[1] + m[2].upper(), word)
        for index, word in enumerate(words)
    )


def _key(word: str) -> str:
    return word.casefold().strip(".,!?\"'")
