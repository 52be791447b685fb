"""Who sends, where no cookie is set: the same browser at the same address on the same day, and nothing beyond it.

The ids are a keyed hash of site, address and user agent under a random salt of the day. The salt is kept for that day
only; without it neither can anybody find a visitor's ids again, nor try addresses until one fits.
"""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from threading import Lock
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from purchase_intent.adapters import Shop
from purchase_intent.models import DailySalt
from purchase_intent.tracking.identity import Identity, forget, has_cookie, new_identity, remember

__all__ = ["daily_identity", "forget_salt", "hand_over", "identity_for"]

_lock: Final = Lock()
_known: Final[dict[date, bytes]] = {}
"""Today's salt, asked for once a process."""


def identity_for(request: HttpRequest, shop: Shop, *, cookie: Identity | None, site: str, moment: datetime) -> Identity:
    """Whose request it is: the cookie's visitor or a new one; that of the day where the shop sets no cookie."""
    if not shop.cookieless:
        return cookie or new_identity()
    agent = request.META.get("HTTP_USER_AGENT", "")
    return daily_identity(site=site, address=shop.address(request), agent=agent, moment=moment)


def hand_over(
    response: HttpResponseBase,
    request: HttpRequest,
    shop: Shop,
    identity: Identity,
    *,
    cookie: Identity | None,
    site: str,
) -> None:
    """Have the browser keep who it is, where it does not yet; without cookies, have it drop one of former days."""
    if shop.cookieless:
        if has_cookie(request):
            forget(response)
    elif identity != cookie:
        remember(response, identity, site=site)


def daily_identity(*, site: str, address: str, agent: str, moment: datetime) -> Identity:
    """The ids of whoever comes from `address` with this user agent on the day of `moment` (aware, read in UTC)."""
    salt = _salt(moment.astimezone(UTC).date())
    parts = [part.encode("utf-8", "surrogatepass") for part in (site, address, agent)]
    told = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    visitor, session = (hmac.new(salt, word + told, "sha256").hexdigest()[:32] for word in (b"visitor", b"session"))
    return Identity(visitor=visitor, session=session)


def forget_salt() -> None:
    """Ask the database again."""
    with _lock:
        _known.clear()


def _salt(day: date) -> bytes:
    found = _known.get(day)
    if found is None:
        found = DailySalt.objects.of(day)
        with _lock:
            _known.clear()
            _known[day] = found
    return found
