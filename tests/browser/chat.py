"""The chat as a visitor uses it, in whatever frame it stands."""

from __future__ import annotations

from playwright.sync_api import Frame, FrameLocator, Locator, Page, TimeoutError, expect

FRAME = "p5-chat >> iframe"
FOUND_AGAIN_MS = 3000


class Chat:
    """`where`: the page itself or the frame with the chat in it."""

    def __init__(self, where: Page | FrameLocator) -> None:
        self.log = where.locator("#log")
        self.mine = where.locator(".line.me .bubble")
        self.theirs = where.locator(".line.them .bubble")
        self.field = where.locator(".field textarea:visible, .field input:visible")
        self.choices = where.locator("#suggestions .choice")
        self.send_button = where.get_by_role("button", name="Send", exact=True)
        self.state = where.locator(".line .state")
        self.where = where

    def say(self, text: str) -> None:
        """Type, press Enter, wait for the answer and for what it asks next."""
        own = self.mine.count()
        self._type(text)
        self.field.press("Enter")
        self._wait_for_an_answer(own)

    def _type(self, text: str) -> None:
        # A question may swap the area for a line while Playwright waits for the area it found.
        try:
            self.field.fill(text, timeout=FOUND_AGAIN_MS)
        except TimeoutError:
            self.field.fill(text)

    def choose(self, label: str) -> None:
        own = self.mine.count()
        self.where.get_by_role("button", name=label, exact=True).click()
        self._wait_for_an_answer(own)

    def _wait_for_an_answer(self, own: int) -> None:
        expect(self.mine).to_have_count(own + 1)
        # Not merely one bubble more: the greeting may still be coming in above.
        after = self.log.locator(".line.me").nth(own).locator("~ .line.them")
        expect(after.first).to_be_visible()
        expect(self.log).to_have_attribute("aria-busy", "false")

    def greeted(self) -> Chat:
        expect(self.theirs.first).to_be_visible()
        expect(self.where.locator("#typing")).to_be_hidden()  # and asked what it asks first
        expect(self.field).to_be_visible()
        return self


def open_widget(page: Page) -> Chat:
    """Press the launcher and wait for the greeting."""
    page.locator("p5-chat button.launcher").click()
    return Chat(page.frame_locator(FRAME)).greeted()


def chat_frame(page: Page) -> Frame:
    return next(frame for frame in page.frames if "/widget/" in frame.url)


def launcher(page: Page) -> Locator:
    return page.locator("p5-chat button.launcher")


def lines(chat: Chat) -> list[str]:
    """Every bubble in order."""
    return chat.log.locator(".bubble").all_text_contents()
