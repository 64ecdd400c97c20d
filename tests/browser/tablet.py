"""A tablet beside the line: one person's browser, which bears no fault of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route

PATIENCE_MS = 30_000.0
READY = 'body[data-state="ready"]'
TAKEN_BACK = "net::ERR_ABORTED"
"""The page itself no longer wants it: another page is opened, or another picture."""
READER = """badge => {
  for (const key of [...badge, 'Enter'])
    document.activeElement.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}"""
"""A reader strikes its keys within some milliseconds; from here each would take a journey."""


class Tablet:
    """One browser context with one page, 1280 × 800 with touch.

    `troubles` has everything that must not happen: words on the console, errors in scripts,
    failed requests, violations of the page's own policy, requests to anybody but the station.
    """

    def __init__(
        self, browser: Browser, address: str, language: str = "en-GB", **context: Any
    ) -> None:
        self.address = address
        self.troubles: list[str] = []
        self._borne: list[re.Pattern[str]] = []
        settings = {"viewport": {"width": 1280, "height": 800}, "has_touch": True, **context}
        self.context = browser.new_context(locale=language, base_url=address, **settings)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("request", self._on_request)
        self.context.on("requestfailed", self._on_failure)
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self._trouble(f"script: {error.error}"))
        self.page: Page = self.context.new_page()

    def close(self) -> None:
        """Nothing more is listened to."""
        self.context.close()

    @contextmanager
    def bearing(self, *patterns: str) -> Iterator[None]:
        """What matches one of these patterns is no trouble meanwhile: the test causes it."""
        before = self._borne
        self._borne = [*before, *map(re.compile, patterns)]
        try:
            yield
        finally:
            self._borne = before

    def sign_in(self, number: str, pin: str, path: str = "/queue") -> None:
        """Sign in with the keys of a keyboard, and open a page."""
        self.page.goto("/sign-in")
        self.test("sign-in-number").fill(number)
        self.test("sign-in-pin").fill(pin)
        self.test("sign-in-go").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        if not self.page.url.endswith(path):
            self.page.goto(path)

    def swipe(self, badge: str) -> None:
        """Hold a badge to a reader that types."""
        self.page.evaluate(READER, badge)

    def test(self, name: str) -> Locator:
        """The part of the page with this test identifier."""
        return self.page.locator(f'[data-test="{name}"]')

    def ready(self) -> str:
        """Wait until the buttons act; the inspection that is asked about."""
        self.page.wait_for_selector(READY)
        return self.shown()

    def shown(self) -> str:
        """The inspection on the screen."""
        return self.page.locator("body").get_attribute("data-inspection") or ""

    def wait_state(self, *states: str) -> None:
        """Wait until the page is in one of these states."""
        self.page.wait_for_selector(", ".join(f'body[data-state="{one}"]' for one in states))

    def next_part(self, after: str) -> str:
        """Wait until another part than `after` can be answered."""
        self.page.wait_for_selector(f'{READY}:not([data-inspection="{after}"])')
        return self.shown()

    def wait_text(self, name: str, pattern: str) -> str:
        """Wait until what this part says matches."""
        found = self.test(name).filter(has_text=re.compile(pattern)).first
        found.wait_for()
        return found.inner_text()

    def hold(self, pattern: str, times: int = 1) -> list[Route]:
        """So many requests like this wait, in this list, until somebody lets them go on."""
        held: list[Route] = []
        self.page.route(pattern, lambda route: held.append(route), times=times)
        return held

    def _trouble(self, words: str) -> None:
        if not any(pattern.search(words) for pattern in self._borne):
            self.troubles.append(words)

    def _on_request(self, request: Request) -> None:
        ours = request.url.startswith((f"{self.address}/", "blob:", "data:"))
        if not ours:
            self._trouble(f"foreign: {request.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != TAKEN_BACK:
            self._trouble(f"failed: {request.url} {request.failure}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._trouble(f"console: {message.text} {message.location.get('url', '')}")
