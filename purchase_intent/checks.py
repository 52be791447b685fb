"""System checks: what `manage.py check` says about a project that uses the app, with the remedy.

Numbers are for good: a check that goes leaves its number unused. Each is described in `docs/settings.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 (Django's own name)
from django.core.files.storage import FileSystemStorage, InvalidStorageError, storages

from purchase_intent.adapters import Shop, current_shop
from purchase_intent.conf import SETTINGS, config, faults
from purchase_intent.exceptions import ConfigurationError, MissingExtra

__all__ = [
    "IDS",
    "check_environment",
    "check_middleware",
    "check_rates",
    "check_settings",
    "check_shop",
    "check_spool",
    "check_storage",
    "check_stream",
]

IDS = {
    "purchase_intent.E001": "PURCHASE_INTENT is not a dictionary",
    "purchase_intent.E002": "PURCHASE_INTENT holds a name that is not a setting",
    "purchase_intent.E003": "a setting has the wrong type",
    "purchase_intent.E004": "a setting has a value that cannot be used",
    "purchase_intent.E005": "STORAGES has no entry for model bundles, or one that cannot be built",
    "purchase_intent.E006": "USE_TZ is off",
    "purchase_intent.E007": "SHOP cannot be imported, or is no adapter",
    "purchase_intent.E008": "STREAM is given, and redis is not installed",
    "purchase_intent.E009": "a rate of the API cannot be read",
    "purchase_intent.W001": "model bundles would be kept where uploads are served to the public",
    "purchase_intent.W002": "the adapter says nothing of consent, so nothing is recorded",
    "purchase_intent.W003": "the tracking middleware is not listed",
    "purchase_intent.W004": "the tracking middleware comes before the session or the authentication middleware",
    "purchase_intent.W005": "the server of STREAM may lose or refuse what it holds, or does not answer",
    "purchase_intent.W006": "events are lost while the database is gone (told by check --deploy)",
}
"""Every check and what it finds."""

_FAULT_IDS = {
    "not_a_dict": "purchase_intent.E001",
    "unknown": "purchase_intent.E002",
    "type": "purchase_intent.E003",
    "value": "purchase_intent.E004",
}

_STORAGE_HINT = (
    'Add STORAGES[{alias!r}] = {{"BACKEND": "django.core.files.storage.FileSystemStorage", '
    '"OPTIONS": {{"location": BASE_DIR / "var" / "bundles"}}}}, a folder that no web server serves.'
)

_E008 = "purchase_intent.E008"
_TRACKING = "purchase_intent.middleware.TrackingMiddleware"
_BEFORE_TRACKING = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report every fault of `PURCHASE_INTENT`: E001 to E004."""
    return [Error(fault.message, hint=fault.remedy, id=_FAULT_IDS[fault.code]) for fault in faults()]


def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a project whose other settings the app cannot work with: E006."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is off, and every time the app stores is an aware one.",
            hint="Set USE_TZ = True; times are kept in UTC and shown in the project's TIME_ZONE.",
            id="purchase_intent.E006",
        )
    ]


def check_storage(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a missing place for model bundles (E005), or a public one (W001)."""
    try:
        alias = config().storage
    except ConfigurationError:
        return []  # check_settings names it
    hint = _STORAGE_HINT.format(alias=alias)
    if alias not in settings.STORAGES:
        return [Error(f"STORAGES has no {alias!r} to keep model bundles in.", hint=hint, id="purchase_intent.E005")]
    try:
        storage = storages[alias]
    except (InvalidStorageError, TypeError) as error:
        return [Error(f"STORAGES[{alias!r}] cannot be built: {error}", hint=hint, id="purchase_intent.E005")]
    if isinstance(storage, FileSystemStorage) and _is_public(Path(storage.location)):
        return [Warning(f"STORAGES[{alias!r}] lies within MEDIA_ROOT.", hint=hint, id="purchase_intent.W001")]
    return []


def check_shop(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report an adapter that cannot be used (E007), or one without which nothing is recorded (W002)."""
    try:
        path = config().shop
    except ConfigurationError:
        return []  # check_settings names it
    try:
        shop = current_shop()
    except ConfigurationError as error:
        return [Error(error.message, hint=SETTINGS["SHOP"].remedy, id="purchase_intent.E007")]
    if type(shop).consent is not Shop.consent:
        return []
    return [
        Warning(
            f"{path} gives no consent, so nothing is recorded.",
            hint='Name a subclass of purchase_intent.adapters.Shop with a method "consent" in PURCHASE_INTENT["SHOP"].',
            id="purchase_intent.W002",
        )
    ]


def check_rates(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report rates in REST_FRAMEWORK that would fail at the first request, or hold for nothing: E009."""
    from rest_framework.settings import api_settings  # a command that answers no request needs none of it

    from purchase_intent.api.throttles import RATES, unreadable

    rates = api_settings.DEFAULT_THROTTLE_RATES
    return [
        Error(
            f'REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"][{name!r}] is no rate of the API: {rates[name]!r}.',
            hint=f'Write a number from 1 on and a period, such as "600/min" (s, m, h or d), or None for no limit; '
            f"the names are {', '.join(sorted(RATES))}.",
            id="purchase_intent.E009",
        )
        for name in unreadable(rates)
    ]


def check_middleware(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a tracking middleware that is missing (W003), or comes before what it builds on (W004)."""
    listed = list(settings.MIDDLEWARE)
    if _TRACKING not in listed:
        return [
            Warning(
                "No page is recorded: the tracking middleware is not listed.",
                hint=f"Add {_TRACKING!r} to MIDDLEWARE, after the authentication middleware.",
                id="purchase_intent.W003",
            )
        ]
    late = [name for name in _BEFORE_TRACKING if name in listed[listed.index(_TRACKING) :]]
    return [
        Warning(
            f"The tracking middleware comes before {name}, so who is logged in is not known to it.",
            hint=f"List {_TRACKING!r} after {name!r}.",
            id="purchase_intent.W004",
        )
        for name in late
    ]


def check_stream(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a stream that cannot be used (E008), or whose server does not keep what it has accepted (W005)."""
    from purchase_intent.tracking.sinks.wire import weaknesses, wire_to

    try:
        url = config().stream
        wire = wire_to(url) if url else None
    except ConfigurationError:
        return []  # check_settings names it
    except MissingExtra as missing:
        return [Error("STREAM names a server, and redis is not installed.", hint=missing.message, id=_E008)]
    if wire is None:
        return []
    return [
        Warning(
            f"The server of STREAM {weakness}.",
            hint="Give events a Redis or Valkey instance of their own, with appendonly yes and maxmemory-policy "
            "noeviction.",
            id="purchase_intent.W005",
        )
        for weakness in weaknesses(wire)
    ]


def check_spool(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report that events have nowhere to go while the database is gone: W006, for what is deployed."""
    try:
        if config().spool:
            return []
    except ConfigurationError:
        return []  # check_settings names it
    return [
        Warning(
            "SPOOL names no folder, so events are lost while the database is gone.",
            hint=SETTINGS["SPOOL"].remedy,
            id="purchase_intent.W006",
        )
    ]


def _is_public(location: Path) -> bool:
    if not settings.MEDIA_ROOT:
        return False
    return location.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())
