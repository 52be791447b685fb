"""The settings of the app: one typed reader, live.

A project configures the app with one dictionary, `PURCHASE_INTENT`. `config()` reads it at every call, so that
`override_settings` works and nothing is frozen at import; it costs microseconds. `faults()` names everything that is
wrong with the dictionary: the system checks report all of it, `config()` raises the first.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.utils.crypto import salted_hmac

from purchase_intent.exceptions import ConfigurationError

__all__ = ["SETTINGS", "Config", "Fault", "bundle_key", "bundle_keys", "bundle_storage", "config", "faults"]

_KEY_SALT = "purchase_intent.bundle"


@dataclass(frozen=True, slots=True)
class Config:
    """What `PURCHASE_INTENT` says, with the defaults filled in."""

    time_zone: ZoneInfo
    """The shop's own time zone: hour, weekday and the day of a catalogue fact are read off its clock."""
    storage: str
    """Alias in `STORAGES` under which model bundles are kept."""
    shop: str
    """Dotted path of the shop's adapter, a subclass of `purchase_intent.adapters.Shop`."""
    retention_days: int
    """How long events are kept, in days."""
    stream: str
    """Address of the Redis or Valkey server whose stream takes events; empty for none."""
    spool: str
    """Folder for events while the database is gone, an absolute path; empty for none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of `PURCHASE_INTENT`: its type, its default, and how to tell a good value from a bad one."""

    kind: type
    default: Callable[[], object]
    problem: Callable[[object], str | None]
    """None for a good value of the right type, else what is wrong with it."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with `PURCHASE_INTENT`: `code` is `not_a_dict`, `unknown`, `type` or `value`."""

    code: str
    name: str
    message: str
    remedy: str


def _zone_problem(value: object) -> str | None:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{value!r} is not a known time zone"
    return None


def _empty_problem(value: object) -> str | None:
    return None if value else "the alias is empty"


def _path_problem(value: object) -> str | None:
    parts = str(value).split(".")
    return None if len(parts) > 1 and all(part.isidentifier() for part in parts) else f"{value!r} is no dotted path"


def _days_problem(value: object) -> str | None:
    # The facts of an event look back over 28 days, and a month of learning over the past before it.
    return None if isinstance(value, int) and 60 <= value <= 36_500 else f"{value!r} is not between 60 and 36500"


def _address_problem(value: object) -> str | None:
    known = not value or str(value).startswith(("redis://", "rediss://", "unix://"))
    return None if known else "the address begins with none of redis://, rediss:// and unix://"


def _folder_problem(value: object) -> str | None:
    return None if not value or Path(str(value)).is_absolute() else f"{value!r} is no absolute path"


SETTINGS: Mapping[str, Setting] = {
    "RETENTION_DAYS": Setting(
        kind=int,
        default=lambda: 395,
        problem=_days_problem,
        remedy="Give a number of days from 60 to 36500.",
    ),
    "SHOP": Setting(
        kind=str,
        default=lambda: "purchase_intent.adapters.Shop",
        problem=_path_problem,
        remedy="Give the dotted path of your subclass of purchase_intent.adapters.Shop.",
    ),
    "SPOOL": Setting(
        kind=str,
        default=lambda: "",
        problem=_folder_problem,
        remedy="Give the absolute path of a folder that only the shop's own processes can write to.",
    ),
    "STORAGE": Setting(
        kind=str,
        default=lambda: "purchase_intent",
        problem=_empty_problem,
        remedy="Give the alias of an entry in STORAGES, for instance 'purchase_intent'.",
    ),
    "STREAM": Setting(
        kind=str,
        default=lambda: "",
        problem=_address_problem,
        remedy="Give the address of a Redis or Valkey server, for instance 'redis://127.0.0.1:6379/1'.",
    ),
    "TIME_ZONE": Setting(
        kind=str,
        default=lambda: settings.TIME_ZONE,
        problem=_zone_problem,
        remedy="Give the shop's IANA time zone, for instance 'Europe/Paris'.",
    ),
}
"""Every setting there is, by name. What is not in here is a mistake of the project's."""


def config() -> Config:
    """Read the settings as they stand now.

    Raises:
        ConfigurationError: the dictionary has an unknown name, a value of the wrong type, or a bad value.
    """
    given = _given()
    try:
        # The types too: True and 1 are one key.
        told = (*given.items(), *map(type, given.values()))  # type: ignore[attr-defined]
        return _read_once(told, settings.TIME_ZONE)
    except (AttributeError, TypeError):  # no dictionary, or with a value that has no hash: a fault, to be named
        return _read()


@lru_cache(maxsize=32)
def _read_once(told: tuple[object, ...], zone: str) -> Config:  # noqa: ARG001 (all that the answer depends on)
    return _read()


def _read() -> Config:
    for fault in faults():
        raise ConfigurationError(f"{fault.message} {fault.remedy}", setting=fault.name, reason=fault.code)
    given = cast("Mapping[str, object]", _given())
    values = {name: given.get(name, setting.default()) for name, setting in SETTINGS.items()}
    return Config(
        time_zone=ZoneInfo(str(values["TIME_ZONE"])),
        storage=str(values["STORAGE"]),
        shop=str(values["SHOP"]),
        retention_days=cast("int", values["RETENTION_DAYS"]),
        spool=str(values["SPOOL"]),
        stream=str(values["STREAM"]),
    )


def faults() -> Iterator[Fault]:
    """Name everything wrong with `PURCHASE_INTENT`, in the order of its entries; nothing for a sound one."""
    given = _given()
    if not isinstance(given, Mapping):
        yield Fault(
            "not_a_dict",
            "PURCHASE_INTENT",
            f"PURCHASE_INTENT is a {type(given).__name__}, not a dictionary.",
            "Write PURCHASE_INTENT = {...}, or leave it out to take every default.",
        )
        return
    for name, value in given.items():
        yield from _faults_of(name, value)


def _given() -> object:
    return getattr(settings, "PURCHASE_INTENT", {})


def _faults_of(name: object, value: object) -> Iterator[Fault]:
    label = f"PURCHASE_INTENT[{name!r}]"
    setting = SETTINGS.get(name) if isinstance(name, str) else None
    if setting is None:
        yield Fault("unknown", str(name), f"{label} is not a setting.", _suggestion(str(name)))
    elif not isinstance(value, setting.kind) or isinstance(value, bool):
        wanted = setting.kind.__name__
        yield Fault("type", str(name), f"{label} is a {type(value).__name__}, not a {wanted}.", setting.remedy)
    elif problem := setting.problem(value):
        yield Fault("value", str(name), f"{label}: {problem}.", setting.remedy)


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name.upper(), SETTINGS, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"The settings are: {', '.join(SETTINGS)}."


def bundle_storage() -> Storage:
    """Return the storage in which model bundles are kept.

    Raises:
        ConfigurationError: `STORAGES` has no entry under the configured alias. There is no silent fallback to the
            default storage: a shop usually serves that one to the world.
    """
    alias = config().storage
    if alias not in settings.STORAGES:
        raise ConfigurationError(f"STORAGES has no {alias!r}: add it, for model bundles to be kept in.", alias=alias)
    return storages[alias]


def bundle_key() -> bytes:
    """Return the 32 bytes that sign a new bundle, derived from `SECRET_KEY`."""
    return _derived(settings.SECRET_KEY)


def bundle_keys() -> tuple[bytes, ...]:
    """Return the keys that a stored bundle may be signed with: today's first, then those of `SECRET_KEY_FALLBACKS`."""
    return tuple(_derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def _derived(secret: str | bytes) -> bytes:
    return salted_hmac(_KEY_SALT, "signature", secret=secret, algorithm="sha256").digest()
