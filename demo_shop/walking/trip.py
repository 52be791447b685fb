"""One visit under way: the browser in hand, and the pages that anybody may look at."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from demo_shop.walking.browser import Answer, Browser
from demo_shop.walking.pages import Button, Form
from demo_shop.walking.people import Person
from demo_shop.walking.tally import Refusal, Tally

__all__ = ["Accounts", "Device", "Trip", "path_of"]

_YES = frozenset({"accept", "accepted", "agree", "allow", "ok", "okay", "yes"})
_NO = frozenset({"decline", "declined", "no", "refuse", "refused", "reject", "rejected"})
_WORD = re.compile("[a-z]+")


@dataclass(slots=True)
class Device:
    """A visitor's phone, computer or tablet, from one visit to the next."""

    browser: Browser
    signed_in: bool = False


@dataclass(slots=True)
class Accounts:
    """The addresses for which an account was made; several shoppers ask at once."""

    _known: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def add(self, email: str) -> None:
        """Note that there is an account."""
        with self._lock:
            self._known.add(email)

    def __contains__(self, email: str) -> bool:
        with self._lock:
            return email in self._known


@dataclass(slots=True)
class Trip:
    """What the acts of a visit need. `browser` is the tab in hand."""

    device: Device
    person: Person
    tally: Tally
    accounts: Accounts
    chance: random.Random
    agrees: bool = True
    """Whether the shopper presses yes where the shop asks for consent."""

    @property
    def browser(self) -> Browser:
        """The tab in hand."""
        return self.device.browser

    @property
    def here(self) -> str:
        """The path of the page shown, without its query."""
        return path_of(self.browser.answer.path)

    def look(self, path: str, *, referer: str | None = None) -> Answer:
        """Open a page; where the shop asks whether it may record, say yes first."""
        answer = self.browser.get(path, referer=referer)
        if answer.status == 404:
            self.tally.refuse(Refusal.MISSING)
        return self._agree(answer) if self.agrees else answer

    def _agree(self, answer: Answer) -> Answer:
        form = next((each for each in answer.page.posting() if _asks_consent(each)), None)
        if form is None:
            return answer
        after = self.browser.submit(form, {}, _saying(form, _YES))
        self.tally.count("consents")
        # A shop that does not lead back is asked again: the shopper came to see this page.
        return after if path_of(after.path) == path_of(answer.path) else self.browser.get(answer.path)


def path_of(address: str) -> str:
    """The path of an address, without its query."""
    return urlsplit(address).path


def _asks_consent(form: Form) -> bool:
    """Whether a form asks a plain question: one of its buttons says yes, another says no."""
    return _saying(form, _YES) is not None and _saying(form, _NO) is not None


def _saying(form: Form, words: frozenset[str]) -> Button | None:
    """The first button with one of `words` in what it sends or shows."""
    return next(
        (each for each in form.buttons if words & set(_WORD.findall(f"{each.value} {each.text}".lower()))), None
    )
