"""Who sends: a server with a key, or else the browser itself, which the shop's own cookie tells apart."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from purchase_intent.models import ApiKey, Scope
from purchase_intent.tracking.identity import COOKIE

__all__ = ["Browser", "Key", "MaySendEvents", "is_same_origin", "key_of", "says_it_is_elsewhere"]

_WORD = b"bearer"
_OURS = b"pi_"


class Key(BaseAuthentication):
    """`Authorization: Bearer pi_…`, a key made at the desk.

    Any other bearer is for other classes to judge, and so is who asks without one; unless this is the only class: then
    whoever sends no key is asked nothing, and any bearer is a key or wrong.
    """

    def __init__(self, *, is_alone: bool = False) -> None:
        self._is_alone = is_alone

    def authenticate(self, request: Request) -> tuple[Any, ApiKey | None] | None:
        """The shop's own user and the key, if one is sent. AuthenticationFailed for a key that is none of ours."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != _WORD or not self._is_key(words[1:]):
            return (_user(request), None) if self._is_alone else None
        key = _known(words)
        if key is None:
            raise AuthenticationFailed(_("This is no key in force: an administrator makes them at the desk."))
        return _user(request), key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the signature is the framework's
        """How to ask with a key."""
        return 'Bearer realm="purchase_intent"'

    def _is_key(self, words: list[bytes]) -> bool:
        return self._is_alone or (bool(words) and words[0].startswith(_OURS))


def key_of(request: HttpRequest) -> ApiKey | None:
    """The key in force that a request brings along, noted as used; None without one of ours."""
    words = request.META.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace").split()
    return _known(words) if words and words[0].lower() == _WORD and words[-1].startswith(_OURS) else None


def _known(words: list[bytes]) -> ApiKey | None:
    key = ApiKey.objects.known(words[1].decode("latin-1")) if len(words) == 2 else None
    if key is not None:
        key.note_use(timezone.now())
    return key


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document spells that."""

    target_class = "purchase_intent.api.keys.Key"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the same
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "description": "A key made at the desk; a browser needs none."}


class Browser(BaseAuthentication):
    """Nobody is asked who they are: the shop's own cookie tells visitors apart."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """The shop's own user, unread."""
        return _user(request), None


class BrowserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document spells that."""

    target_class = "purchase_intent.api.keys.Browser"
    name = "visitor"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the same
        """The cookie."""
        return {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "The shop's own, signed."}


def _user(request: Request) -> Any:
    # Left as it is, and unread: REST framework would put somebody anonymous in its place.
    return getattr(request._request, "user", None)  # noqa: SLF001 (documented by REST framework)


class MaySendEvents(BasePermission):
    """A key that may send events, or a page of this very site."""

    message = gettext_lazy("Only pages of this site may send without a key; a server needs one with the scope events.")

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether the sender may send at all."""
        if isinstance(request.auth, ApiKey):
            return request.auth.may(Scope.EVENTS)
        return is_same_origin(request._request)  # noqa: SLF001 (documented by REST framework)


def is_same_origin(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sends, or of one of CSRF_TRUSTED_ORIGINS.

    A beacon has no headers of its own, but these two, which no page can set. One that has neither is no browser's.
    """
    origin: str = request.META.get("HTTP_ORIGIN", "")
    if request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin" or _is_trusted(origin):
        return True
    if "HTTP_SEC_FETCH_SITE" in request.META or not origin:
        return False
    try:
        own: str = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return origin == own


def says_it_is_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that a page of another site asks; one that says nothing of it may ask.

    For what only reads: without leave from the server no page of another site sees the answer anyway.
    """
    told = "HTTP_SEC_FETCH_SITE" in request.META or "HTTP_ORIGIN" in request.META
    return told and not is_same_origin(request)


def _is_trusted(origin: str) -> bool:
    if not origin:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    for trusted in (urlsplit(str(each)) for each in settings.CSRF_TRUSTED_ORIGINS):
        if trusted.scheme != parts.scheme:
            continue
        if trusted.netloc == parts.netloc:
            return True
        if trusted.netloc.startswith("*.") and parts.netloc.endswith(trusted.netloc[1:]):
            return True
    return False
