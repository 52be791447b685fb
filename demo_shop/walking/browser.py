"""A browser without a window: cookies, redirects, the headers that a shop looks at. One host, and no other."""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from urllib.error import URLError
from urllib.parse import urldefrag, urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPHandler, OpenerDirector, Request

from demo_shop.walking.pages import Button, Form, Page, read_page
from demo_shop.walking.tally import Tally
from purchase_intent.exceptions import IntentError

__all__ = ["Answer", "Browser", "ShopGone"]

_SECONDS = 30.0
_LONGEST = 4_000_000
_MOST_REDIRECTS = 5
_PLAIN = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en,de;q=0.7",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}


class ShopGone(IntentError):
    """Nothing answers at the address, or not as a shop does."""

    code = "shop_gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request led to, redirects followed: `path` is where the browser stands now."""

    status: int
    path: str
    page: Page
    redirected: bool = False


@dataclass(slots=True)
class Browser:
    """One tab of a browser on the shop at `root` ("http://127.0.0.1:8000"). `answer` is what it shows.

    Tabs of one browser share their cookies. Every request is counted in `tally`.
    """

    root: str
    agent: str
    tally: Tally
    cookies: CookieJar = field(default_factory=CookieJar)
    answer: Answer = field(default_factory=lambda: Answer(0, "", Page()))

    def tab(self) -> Browser:
        """Return another tab of the same browser."""
        return Browser(self.root, self.agent, self.tally, self.cookies)

    def get(self, path: str, *, referer: str | None = None) -> Answer:
        """Ask for a page; `referer` is where the shopper came from, this tab's page where None."""
        came = self._here() if referer is None else referer
        return self._open(path, None, {"Referer": came} if came else {})

    def submit(self, form: Form, values: Mapping[str, str], button: Button | None = None) -> Answer:
        """Send a form of the page shown, filled in with `values`."""
        target = urljoin(self.answer.path, form.action) if form.action else self.answer.path
        sent = form.filled(values, button)
        return self._open(target, sent, {"Referer": self._here(), "Origin": self.root})

    def _here(self) -> str:
        return self.root + self.answer.path if self.answer.path else ""

    def _open(self, path: str, sent: Sequence[tuple[str, str]] | None, headers: Mapping[str, str]) -> Answer:
        """Ask, and follow where it leads: after a redirect always with a GET, as browsers do."""
        for turn in range(_MOST_REDIRECTS + 1):
            status, location, body = self._ask(path, sent, headers)
            if not location:
                self.answer = Answer(status, path, read_page(body), redirected=turn > 0)
                return self.answer
            path, sent = self._onward(path, location), None
        raise ShopGone(f"{self.root}{path} leads round in circles: is it the demo shop?", path=path)

    def _onward(self, path: str, location: str) -> str:
        target = urldefrag(urljoin(self.root + path, location)).url
        if not target.startswith(f"{self.root}/"):
            raise ShopGone(f"{self.root}{path} leads to {target}: a walk stays in one shop", path=path, target=target)
        return target.removeprefix(self.root)

    def _ask(
        self, path: str, sent: Sequence[tuple[str, str]] | None, headers: Mapping[str, str]
    ) -> tuple[int, str, str]:
        """Send one request; the status, where it redirects to ("" for nowhere) and the body."""
        data = None if sent is None else urlencode(list(sent)).encode()
        request = Request(self.root + path, data, {**_PLAIN, "User-Agent": self.agent, **headers})  # noqa: S310 (checked)
        try:
            with _opener(self.cookies).open(request, timeout=_SECONDS) as response:
                status, location = response.status, response.headers.get("Location", "")
                body = response.read(_LONGEST).decode("utf-8", "replace")
        except (URLError, OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise ShopGone(f"nothing answers at {self.root} ({why}): is the shop running?", url=self.root) from error
        self.tally.count_request(status)
        return status, location if 300 <= status < 400 else "", body


def _opener(cookies: CookieJar) -> OpenerDirector:
    """Only HTTP and cookies: no proxy of the environment, and nothing raised for a status that is not 200."""
    opener = OpenerDirector()
    opener.addheaders = []
    opener.add_handler(HTTPHandler())
    opener.add_handler(HTTPCookieProcessor(cookies))
    return opener
