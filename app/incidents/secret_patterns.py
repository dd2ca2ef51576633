"""What secrets, contact details and personal ids look like in the text of an error.

Every pattern is linear: bounded or possessive repetition, and no two neighbouring repetitions that
accept the same characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

#: What is put in a match's place.
Instead = str | Callable[[re.Match[str]], str]

SECRET, LEFT_OUT, EMAIL, NUMBER, ID, NAME, ADDRESS = (
    "[secret]", "[left out]", "[e-mail]", "[number]", "[id]", "[name]", "[address]",
)  # fmt: skip

#: A quotation mark, however often a JSON text inside a JSON text has escaped it.
_QUOTE = r"\\{0,16}+[\"']"
#: A character of an address: neither white space nor what ends it in a text.
_URL = r"[^\s\"'<>)\\]"
_AT = "[@＠﹫]"
_ENCODED_AT = r"(?:%(?:25){0,3}40|&#(?:64|x40);|\\{1,8}u(?:0040|ff20))"
_MAILBOX = r"[^\s@＠﹫<>()\[\],;:=\"'“”«»\\]"
_BRACKETED_AT = r"\s{0,3}[(\[{]\s{0,3}at\s{0,3}[)\]}]\s{0,3}"
_DOT = r"(?:\.|\s{0,3}[(\[{]\s{0,3}dot\s{0,3}[)\]}]\s{0,3}|\s{1,3}dot\s{1,3})"
_LOCAL = r"(?<![\w.+-])[\w.+-]{1,64}+"
_LABEL = r"[\w-]{1,63}+"
_TLD = r"(?:com|net|org|info|biz|app|dev|[a-z]{2})\b"
_CAPITALISED = r"(?-i:[A-ZÀ-ÖØ-Þ])[^\W\d_]{0,30}+(?:['’-][^\W\d_]{1,30}+){0,3}"
_NAMES = rf"{_CAPITALISED}(?: {_CAPITALISED}){{0,3}}"
_NOBODY = r"(?!(?:customer|sir|madam|team|world|there|all|user|friend|guest|visitor)s?\b)"

_WEBHOOK_HOSTS = (
    r"hooks\.slack\.com|hooks\.slack-gov\.com|discord(?:app)?\.com/api/webhooks|"
    r"webhook\.office\.com|logic\.azure\.com|"
    r"hooks\.zapier\.com|hook\.(?:[a-z]{2}[0-9]\.)?(?:make|integromat)\.com|maker\.ifttt\.com|"
    r"chat\.googleapis\.com|open\.(?:larksuite|feishu)\.c(?:om|n)|api\.pushover\.net|"
    r"hooks\.airtable\.com|connect\.pabbly\.com|api\.monday\.com/v2/hooks"
)
_VENDOR_KEYS = (
    r"(?:sk|pk|rk|gh[a-z]|github_pat|xox[a-z]|xapp|whsec|glpat|GOCSPX|npm|hf|shp[a-z]{2}|dop_v1|"
    r"AGE-SECRET-KEY)[-_][\w+/=-]{8,}",
    r"re_[\w-]{8,}",
    r"(?:key|pat)-(?=[a-z-]{0,80}\d)[\w-]{8,}",
    r"patna\d-[\w-]{8,}",
    r"AIza[\w-]{20,}",
    r"ya29\.[\w-]{8,}",
    r"SG\.[\w-]{10,}(?:\.[\w-]{1,})?",
    r"(?-i:A(?:KIA|SIA|ROA|IDA)[A-Z0-9]{12,})",
    r"(?-i:(?:AC|SK))[0-9a-f]{32}",
    r"bot\d{6,12}:[\w-]{20,}",
    r"eyJ[\w-]{5,}(?:\.[\w-]{0,4096}){0,4}",
)


def _unless_local(found: re.Match[str]) -> str:
    """An address of this machine or its own network explains an error and names nobody."""
    try:
        address = ip_address(found[0])
    except ValueError:  # a time of day, a version
        return found[0]
    is_documentation = found[0].startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    is_documentation |= found[0].lower().startswith("2001:db8:")
    if found[0].startswith("::"):  # `::1:5432`: this machine, and a port
        return found[0]
    return ADDRESS if address.is_global or is_documentation else found[0]


_RULES: tuple[tuple[str, Instead], ...] = (
    (r"-----BEGIN [\s\S]*?(?:-----END [A-Z ]{1,40}-----|\Z)", SECRET),
    (r"\bssh-(?:rsa|dss|ed25519) AAAA[\w+/=]+(?: [^\s\"']+)?", SECRET),
    # Whoever knows such an address can write there: it is a secret. Its host is not.
    (rf"((?:{_WEBHOOK_HOSTS})/){_URL}+", rf"\1{SECRET}"),
    # Of n8n's own, a path of one plain word is no secret: anybody would guess it.
    (
        rf"(/webhook(?:-test|-waiting)?/)(?![a-z]{{1,12}}(?:/chat)?(?![\w/%.~+-])){_URL}+",
        rf"\1{SECRET}",
    ),
    (r"\bbot\d{6,12}:[\w-]{20,}", SECRET),
    # Addresses keep where they lead, without who opens them and what is asked there.
    (
        r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:\"'<>]{0,100}:(?!\d{1,5}/)[^\s@\"'<>]{1,300}@",
        r"\1",
    ),
    (r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@\"'<>]{1,500}@", r"\1"),
    (r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s?#\"'<>)]{1,2000}+)(?:[?#][^\s\"'<>)]*+)?", r"\1"),
    (rf"\?(?=[\w.%\[\]-]{{1,60}}=){_URL}+", ""),
    (r"(&[\w.%-]{1,60}=)[^\s&\"'<>)\\]+", r"\1" + SECRET),
    (
        rf"(\b(?:proxy-)?authorization{_QUOTE}?\s{{0,5}}[:=]\s{{0,5}}\[?{_QUOTE}?)"
        r"[^\n\"'}\]\\]+",
        rf"\1{SECRET}",
    ),
    (
        rf"(\b(?:authorization|cookie)(?:{_QUOTE})?\s{{0,5}}[:=]\s{{0,5}})\[[^\]]*+\]?",
        rf"\1{SECRET}",
    ),
    (
        r"\b(bearer|basic|digest|negotiate)\s{1,5}(?=[^\s\"',;]*[\d+/=_.-])[^\s\"',;]{6,}",
        rf"\1 {SECRET}",
    ),
    (rf"(\bcookie(?:{_QUOTE})?\s{{0,5}}[:=]\s{{0,5}}(?:{_QUOTE})?)[^\n\"'}}\\]+", rf"\1{SECRET}"),
    (r"((?:passw\w{0,20}|pwd|token|secret|key)\s?=\s?)[^\s,;&\"'\\>][^\s,;&]*", rf"\1{SECRET}"),
    (rf"(\bheaders?(?:{_QUOTE})?\s{{0,5}}[:=]\s{{0,5}})\{{[^{{}}]*+\}}?", rf"\1{LEFT_OUT}"),
    # PostgreSQL's own words for what it would not store.
    (
        r"(\bkey \([^()]{0,300}\)=)\([^\n]{0,500}?\)(?= (?:already|is|conflicts)|\n|\Z)",
        rf"\1{LEFT_OUT}",
    ),
    (r"(\bfailing row contains )\([^\n]*", rf"\1{LEFT_OUT}"),
    # Command lines and XML.
    (r"(\s(?:-u|--user)[ =])['\"]?[^\s:'\"]{1,100}:[^\s'\"]+['\"]?", rf"\1{SECRET}"),
    (r"(?<=\s-p)(?=[^\s\d]{0,64}\d)(?=[^\sa-z]{0,64}[a-z])[^\s:]{4,64}(?!\S)", SECRET),
    (
        r"(<(?:[\w-]{0,20}(?:passw|secret|token|key|name|mail|phone)[\w-]{0,20})>)[^<>]{1,300}(?=<)",
        rf"\1{LEFT_OUT}",
    ),
    # Mail addresses, also as people disguise them.
    (
        rf"(?:\\{{0,16}}+\"[^\"\\\n]{{1,64}}+\\{{0,16}}+\"|(?<!{_MAILBOX}){_MAILBOX}++)(?<!/)"
        rf"{_AT}(?!\d+(?:\.\d+)+(?![\w.]))[^\s@<>()\[\],;:\"'“”«»/?&\\]{{1,255}}",
        EMAIL,
    ),
    (
        rf"{_LOCAL}{_ENCODED_AT}(?!\d+(?:\.\d+)+(?![\w.]))[^\s@<>()\[\],;:\"'“”«»/?&\\]{{1,255}}",
        EMAIL,
    ),
    (rf"{_LOCAL} @ {_LABEL}(?:\.{_LABEL}){{1,5}}", EMAIL),
    (rf"{_LOCAL}{_BRACKETED_AT}{_LABEL}(?:{_DOT}{_LABEL}){{0,5}}", EMAIL),
    (rf"{_LOCAL}\s{{1,3}}(?-i:AT)\s{{1,3}}{_LABEL}(?:{_DOT}{_LABEL}){{1,5}}", EMAIL),
    (rf"{_LOCAL}\s{{1,3}}at\s{{1,3}}{_LABEL}(?:\sdot\s{_LABEL}){{0,3}}\sdot\s{_TLD}", EMAIL),
    (rf"(?<![^\W_]){_NAMES}(?=\s{{1,3}}<\[e-mail\]>)", NAME),
    # People, as letters and visitors call them.
    (
        rf"\b((?:dear|hello|hi|hey),?\s{{1,3}}(?:(?:mr|mrs|ms|miss|dr)\.?\s)?){_NOBODY}{_NAMES}",
        rf"\1{NAME}",
    ),
    (rf"\b((?:name is|[i’']m called|i am called)\s{{1,3}}){_NOBODY}{_NAMES}", rf"\1{NAME}"),
    *((rf"\b{pattern}", SECRET) for pattern in _VENDOR_KEYS),
    # A secret of Amazon's: forty letters of base64, among them small, capital and a digit.
    (
        r"(?<![\w/+=-])(?=[^\s\d]{0,40}\d)(?-i:(?=[^\sA-Z]{0,40}[A-Z])(?=[^\sa-z]{0,40}[a-z]))"
        r"[a-z0-9][a-z0-9/+]{39}(?![\w/+=])",
        SECRET,
    ),
    (r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])", ID),
    (r"(?<![\w+/=-])(?=[^\d\s]{0,200}\d)[\w+-]{40,}={0,2}", ID),
    (
        r"\b(?-i:[A-Z]{2})\d{2}(?:[ -]?(?-i:[A-Z0-9]{4})){3,7}(?:[ -]?(?-i:[A-Z0-9]{1,3}))?\b",
        NUMBER,
    ),
    (r"(?<![a-z0-9])(?=[a-z]{0,200}\d)(?=\d{0,200}[a-z])[a-z0-9]{14,}", ID),
    # Seven digits and more: a telephone's, an account's. A date, an execution, an amount of
    # something and an error's number are none.
    (
        r"(?:[+＋]\s?)?\(?(?<![\d.])(?<!\d[./-])(?<!\b0x)(?<!execution )(?<!execution #)"
        r"(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?![\d-]))"
        r"(?![0-3]?\d[./-][01]?\d[./-](?:19|20)\d\d(?!\d))"
        r"(?>\d(?:[ \t\u00a0().\-–‑/·]{0,3}\d){6,})(?! ?(?:ms|bytes|rows|items|tokens)\b)",
        NUMBER,
    ),
    (r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", _unless_local),
    (r"(?<![\w:.])(?=[0-9a-f]{0,4}:)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", _unless_local),
)
#: Applied in this order.
RULES = tuple((re.compile(pattern, re.I), instead) for pattern, instead in _RULES)
