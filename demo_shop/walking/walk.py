"""A walk: shoppers side by side, a few at once, against one running shop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from urllib.parse import urlsplit

from demo_shop.walking.browser import Browser
from demo_shop.walking.people import AGENTS
from demo_shop.walking.shopper import Crowd, Shopper
from demo_shop.walking.tally import Tally
from demo_shop.walking.visits import Visit
from purchase_intent.exceptions import IntentError

__all__ = ["AT_ONCE", "WalkRefused", "check_shop", "own_root", "walk"]

AT_ONCE = 4
"""Shoppers in the shop at the same time."""

_OWN = frozenset({"localhost", "127.0.0.1", "::1"})
_MARK = "Tidewell"


class WalkRefused(IntentError):
    """An option makes no walk, or the address is no demo shop: the message says which and what would."""

    code = "walk_refused"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: `speed` times as fast as the simulated shoppers, 0 without pauses."""

    speed: float
    stopped: Event

    def pause(self, milliseconds: int) -> None:
        """Wait as long as a shopper would, or until the walk is stopped."""
        if self.speed > 0:
            self.stopped.wait(milliseconds / 1000 / self.speed)


def own_root(url: str) -> str:
    """The scheme, host and port of a shop on this machine.

    Raises WalkRefused for any other: a walk makes accounts and places orders, in nobody else's shop.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme != "http" or not parts.hostname or port == -1:
        raise WalkRefused(f"live {url!r}: give the shop's address, such as http://127.0.0.1:8000", url=url)
    if parts.hostname not in _OWN:
        raise WalkRefused(
            f"live {url!r}: a walk makes accounts and places orders, so it goes to this machine only "
            "(localhost or 127.0.0.1)",
            url=url,
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise WalkRefused(f"live {url!r}: give scheme, host and port alone", url=url)
    return f"http://{parts.netloc}"


def check_shop(root: str) -> None:
    """Look at the home page: WalkRefused unless it is the demo shop with something on its shelves."""
    browser = Browser(root, AGENTS["desktop"], Tally())
    answer = browser.get("/")
    if answer.status != 200 or _MARK not in answer.page.title:
        raise WalkRefused(f"{root} answers, but not as the demo shop: start it with manage.py runserver", url=root)
    if not any(link.startswith("/product/") for link in answer.page.links):
        raise WalkRefused(f"{root} has nothing on its shelves: run manage.py load_catalogue", url=root)


def walk(
    crowd: Crowd,
    found: Sequence[Visit],
    *,
    speed: float,
    at_once: int = AT_ONCE,
    progress: Callable[[], object] = lambda: None,
) -> Tally:
    """Walk the visits, at most `at_once` at a time; one visitor's come one after another. `progress` hears of each.

    Raises ShopGone where the shop stops answering; what was walked until then has happened.
    """
    stopped = Event()
    pace = Pace(speed, stopped)
    latest: dict[int, Future[None]] = {}
    running: list[Future[None]] = []
    with ThreadPoolExecutor(at_once, thread_name_prefix="shopper") as pool:
        try:
            for visit in found:
                running.append(pool.submit(_visit, visit, crowd, pace, latest.get(visit.visitor), progress))
                latest[visit.visitor] = running[-1]
            _await(running)
        finally:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
    return crowd.tally


def _await(running: Sequence[Future[None]]) -> None:
    for done in wait(running, return_when=FIRST_EXCEPTION).done:
        done.result()


def _visit(visit: Visit, crowd: Crowd, pace: Pace, before: Future[None] | None, progress: Callable[[], object]) -> None:
    """Walk one visit, after the visitor's earlier one; that was begun before, so this waits for what goes on."""
    if before is not None:
        before.result()
    since = visit.start
    for at in Shopper(visit, crowd).walk():
        pace.pause(at - since)
        if pace.stopped.is_set():
            return
        since = at
    progress()
