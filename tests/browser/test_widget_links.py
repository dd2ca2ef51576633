"""What in an answer can be clicked, and what is shown as written."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.browser.chat import Chat
from tests.browser.telling import Line, Teller, ask, chat, line, opened, teller

__all__ = ["chat", "line", "teller"]

NewContext = Callable[..., BrowserContext]
Axe = Callable[[Page | Frame], list[str]]
LOST = "One moment, the connection was lost."


CLICKABLE = [
    "https://good.example",
    "http://good.example/",
    "https://www.good.example/a_(b)?c=d&e=%20#f",
    "HTTPS://GOOD.EXAMPLE/Path",
    "https://help.example/x",
    "https://www.help.example/x,y",
    "https://müller.example/ü",
    "https://xn--mller-kva.example/",
]
NOT_CLICKABLE = [
    "https://evil.example/",
    "https://good.example.evil.example/",
    "https://sub.good.example/",
    "https://good.example@evil.example/",
    "https://user:pw@good.example/",
    "https://good.example:8443/",
    "https://good.example:443/",
    "https://good.example./",
    "https://evil.example/https://good.example/",
    "https://good.example\\@evil.example/",
    "https://good.example%2eevil.example/",
    "https://gооd.example/",
    "https://ｇood.example/",
    "https://xn--gd-jbba.example/",
    "https://good.example/\u202egpj.exe",
    "https://go\u00adod.example/",
    "https:///good.example",
    "https:good.example",
    "//good.example/",
    "www.good.example",
    "ftp://good.example/",
    "javascript:alert(1)//good.example",
    "xhttps://good.example/",
    "mailto:ann@good.example",
]


def test_only_addresses_of_the_sites_own_hosts_are_links(chat: Chat, teller: Teller) -> None:
    text = "\n".join([f"See {each}." for each in CLICKABLE] + [f"({each})" for each in CLICKABLE])
    text += "\n" + "\n".join(f"{each} {each}." for each in NOT_CLICKABLE)
    answer = ask(chat, "https://good.example/ and [x](https://good.example/)")
    teller.say(text)
    expect(answer).to_contain_text("mailto")
    expect(answer.locator("*")).to_have_count(0)
    teller.end(text)
    for _ in range(2):
        expect(answer.locator("a")).to_have_text([*CLICKABLE, *CLICKABLE])
        assert answer.text_content() == text
        assert answer.locator("*").count() == 2 * len(CLICKABLE)
        for link in answer.locator("a").all():
            assert link.get_attribute("target") == "_blank"
            assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert chat.mine.locator("*").count() == 0
        chat.log.page.reload()


def test_a_link_opens_beside_the_chat_and_tells_nothing_of_it(
    new_context: NewContext, line: Line, teller: Teller
) -> None:
    context = new_context()
    context.route("https://good.example/**", lambda route: route.fulfill(body="hello"))
    chat = opened(context.new_page(), line)
    answer = ask(chat)
    teller.end("Our prices (https://good.example/prices).")
    with context.expect_page() as opening:
        answer.get_by_role("link").click()
    beside = opening.value
    assert beside.url == "https://good.example/prices"
    assert beside.evaluate("[window.opener, document.referrer]") == [None, ""]


def test_html_in_an_answer_is_shown_as_written(chat: Chat, teller: Teller) -> None:
    text = (
        "<b>Bold</b> <img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>\n"
        "<a href='https://good.example/'>here</a> &amp; <iframe src='javascript:alert(1)'>"
    )
    answer = ask(chat)
    teller.say(text[:50], text[50:])
    teller.end(text)
    expect(answer).to_have_text(text, use_inner_text=True)
    assert answer.locator("b, img, script, iframe").count() == 0
    assert chat.log.page.evaluate("window.hacked") is None
