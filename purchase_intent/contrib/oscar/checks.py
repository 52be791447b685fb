"""System checks of the adapter, each with its remedy; described in docs/oscar.md."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from django.apps import apps
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 (Django's own name)

from purchase_intent.adapters import current_shop
from purchase_intent.contrib.oscar.shop import OscarShop
from purchase_intent.exceptions import ConfigurationError

__all__ = ["IDS", "check_listed", "check_oscar"]

IDS = {
    "purchase_intent_oscar.E001": "django-oscar is not installed, or not listed",
    "purchase_intent_oscar.E002": "SHOP names no subclass of OscarShop",
    "purchase_intent_oscar.W001": "the adapter's middleware is not listed, or comes before the tracking middleware",
}
"""Every check and what it finds."""

_OURS = "purchase_intent.contrib.oscar.middleware.OscarMiddleware"
_TRACKING = "purchase_intent.middleware.TrackingMiddleware"


def check_oscar(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report that there is no django-oscar to listen to: E001."""
    if find_spec("oscar") is None:
        found, hint = "django-oscar is not installed.", "pip install 'django-oscar>=4.2', or take "
        hint += "'purchase_intent.contrib.oscar' out of INSTALLED_APPS."
    elif not apps.is_installed("oscar"):
        found, hint = "django-oscar is not listed.", 'List "oscar.config.Shop" and its apps in INSTALLED_APPS.'
    else:
        return []
    return [Error(found, hint=hint, id="purchase_intent_oscar.E001")]


def check_listed(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report what is installed and not used: another adapter (E002), no middleware, or one in vain (W001)."""
    return [*_other_shop(), *_no_middleware()]


def _other_shop() -> list[CheckMessage]:
    try:
        shop = current_shop()
    except ConfigurationError:
        return []  # purchase_intent's own checks name it
    if isinstance(shop, OscarShop):
        return []
    return [
        Error(
            f"SHOP names {type(shop).__name__}, which does not listen to django-oscar.",
            hint='Name a subclass of purchase_intent.contrib.oscar.shop.OscarShop in PURCHASE_INTENT["SHOP"].',
            id="purchase_intent_oscar.E002",
        )
    ]


def _no_middleware() -> list[CheckMessage]:
    listed = list(settings.MIDDLEWARE)
    if _OURS in listed and (_TRACKING not in listed or listed.index(_TRACKING) < listed.index(_OURS)):
        return []
    found = "comes before the tracking middleware" if _OURS in listed else "is not listed, so no order is recorded"
    return [
        Warning(
            f"The adapter's middleware {found}.",
            hint=f"List {_OURS!r} after {_TRACKING!r} in MIDDLEWARE.",
            id="purchase_intent_oscar.W001",
        )
    ]
