"""Who sends: one signed first-party cookie that holds the visitor's id and the session's key.

A cookie is believed only with this project's signature, made for this site. Any other is treated as none at all, and
whoever sent it is a new visitor.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from purchase_intent.events.reasons import LONGEST_TEXT

__all__ = [
    "COOKIE",
    "MAX_AGE",
    "Identity",
    "forget",
    "has_cookie",
    "identity_of",
    "keep_private",
    "new_identity",
    "read_identity",
    "remember",
]

COOKIE: Final = "intent"
MAX_AGE: Final = 395 * 24 * 3600
"""Seconds a browser keeps the cookie, counted from the visitor's latest session."""
_SALT: Final = "purchase_intent.identity"
_LONGEST: Final = 4096
"""Characters that a browser keeps; a longer value was not set by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the cookie says: the visitor's id and the session's key, which may have ended meanwhile."""

    visitor: str
    session: str


def new_identity() -> Identity:
    """A visitor nobody has seen: two random ids of 128 bits."""
    return Identity(visitor=secrets.token_hex(16), session=secrets.token_hex(16))


def has_cookie(request: HttpRequest) -> bool:
    """Whether the browser sent a cookie of that name, sound or not."""
    return COOKIE in request.COOKIES


def read_identity(request: HttpRequest, *, site: str) -> Identity | None:
    """What the request's cookie says; None without one, and for one that this project did not sign for `site`."""
    return identity_of(request.COOKIES.get(COOKIE, ""), site=site)


def identity_of(value: str, *, site: str) -> Identity | None:
    """What a cookie's value says; None for one that this project did not sign for `site`."""
    if not value or len(value) > _LONGEST:
        return None
    secrets_now = settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS
    try:
        return _signed(value, site, settings.SIGNING_BACKEND, secrets_now)
    # Beyond a bad signature: what is signed may have been written by another release.
    except (signing.BadSignature, ValueError):
        return None


@lru_cache(maxsize=16_384)
def _signed(value: str, site: str, backend: str, secrets_now: tuple[str | bytes, ...]) -> Identity:  # noqa: ARG001
    """What a cookie says that was signed under these settings: worked out once a process, for all pages of a visit.

    Raises BadSignature or ValueError, which are not remembered, for one that was not.
    """
    match signing.loads(value, salt=_salt(site)):
        case [str(visitor), str(session)] if _fits(visitor) and _fits(session):
            return Identity(visitor=visitor, session=session)
    raise ValueError("this is signed, but holds no identity")


def remember(response: HttpResponseBase, identity: Identity, *, site: str) -> None:
    """Set the cookie; no cache on the way may keep the answer, or two browsers would get one id."""
    response.set_cookie(
        COOKIE,
        signing.dumps([identity.visitor, identity.session], salt=_salt(site), compress=True),
        max_age=MAX_AGE,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=_same_site(),
    )
    keep_private(response)


def forget(response: HttpResponseBase) -> None:
    """Have the browser delete the cookie."""
    response.delete_cookie(
        COOKIE, path=settings.SESSION_COOKIE_PATH, domain=settings.SESSION_COOKIE_DOMAIN, samesite=_same_site()
    )
    keep_private(response)


def keep_private(response: HttpResponseBase) -> None:
    """Say that the answer is this browser's alone."""
    patch_vary_headers(response, ("Cookie",))
    patch_cache_control(response, private=True)


def _salt(site: str) -> str:
    return f"{_SALT}.{site}"


def _fits(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT


def _same_site() -> Literal["Lax", "Strict", "None", False]:
    return settings.SESSION_COOKIE_SAMESITE
