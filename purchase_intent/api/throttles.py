"""How often one sender may ask: a rate for each kind of endpoint, counted in the process that answers.

The generic cell rate algorithm (ITU-T I.371): a whole period's share may come at once, and what was used grows back
evenly. It keeps one number a sender, and a refusal says to the second when to come again. Nothing is shared among
processes, so a shop with four workers lets through up to four times as much: it guards a process's own time.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from purchase_intent.models import ApiKey

__all__ = ["RATES", "Throttle", "address_of", "forget_senders", "sender_of", "sender_of_key", "unreadable", "wait_for"]

RATES: Final = {
    "intent-events": "6000/min",
    "intent-server": "60000/min",
    "intent-predict": "60000/min",
    "intent-batch": "600/min",
    "intent-decision": "240/min",
    "intent-scores": "1200/min",
}
"""`DEFAULT_THROTTLE_RATES` in the project's REST_FRAMEWORK may say otherwise by the same names; None for no limit."""
MOST: Final = 50_000
"""Senders that a process remembers; then it begins anew."""

_MARK: Final = "intent-"
_RATE: Final = re.compile(r"0*[1-9][0-9]*/[smhd][a-z]*")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
clock = time.monotonic
"""Seconds; tests replace it."""
_due: Final[dict[tuple[str, str], float]] = {}
"""By rate and sender: when all that it has used will have grown back."""


class Throttle(BaseThrottle):
    """Lets a sender of an endpoint through as often as the endpoint's rate says.

    The endpoint names its rate (`rate_for`) and whom it counts (`sender_for`); nobody to count is let through. Two
    threads at once may count as one.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this request is within the rate."""
        self._wait = wait_for(view.rate_for(request), lambda: view.sender_for(request))
        return self._wait is None

    def wait(self) -> float | None:
        """Seconds until the next request would be let through, for Retry-After."""
        return self._wait


def wait_for(rate: str, sender: Callable[[], str | None]) -> float | None:
    """Count one more request of a sender at the rate of that name; beyond it uncounted, and the whole seconds to wait.

    `sender` is asked only where there is a limit; None is nobody to count.
    """
    number, seconds = _limit(rate)
    who = sender() if number else None
    if who is None:
        return None
    now, share = clock(), seconds / number
    due = max(_due.get((rate, who), now), now)
    if due - now > seconds - share:
        return math.ceil(due - now - (seconds - share))
    if len(_due) >= MOST:
        _due.clear()
    _due[rate, who] = due + share
    return None


def sender_of(request: Request) -> str:
    """Whom to count: the key, the user who is signed in, or the address."""
    if isinstance(request.auth, ApiKey):
        return sender_of_key(request.auth)
    user: Any = request.user
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    return address_of(request)


def sender_of_key(key: ApiKey) -> str:
    """Whom to count where a key was sent."""
    return f"key {key.pk}"


def address_of(request: Request) -> str:
    """The address, by `NUM_PROXIES` of the project's REST_FRAMEWORK."""
    return f"address {BaseThrottle().get_ident(request)}"


def forget_senders() -> None:
    """Count everybody anew."""
    _due.clear()


def unreadable(rates: Mapping[str, object]) -> list[str]:
    """The names in `DEFAULT_THROTTLE_RATES` that are of ours and hold no rate, or begin as ours do and are none."""
    ours = {name: rate for name, rate in rates.items() if name.startswith(_MARK)}
    return [
        name
        for name, rate in ours.items()
        if name not in RATES or (rate is not None and not (isinstance(rate, str) and _RATE.fullmatch(rate)))
    ]


def _limit(scope: str) -> tuple[int, int]:
    """Requests in so many seconds; 0 for no limit."""
    rate = api_settings.DEFAULT_THROTTLE_RATES.get(scope, RATES[scope])
    return _read(rate) if rate is not None else (0, 1)


@lru_cache(maxsize=32)
def _read(rate: str) -> tuple[int, int]:
    """A rate as REST framework writes it: a number, a slash, and a period of which the first letter counts."""
    number, _, period = rate.partition("/")
    return int(number), _SECONDS[period[0]]
