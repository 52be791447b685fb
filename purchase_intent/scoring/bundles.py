"""Bundles in the shop's storage: written once under a name of their own, checked at every reading."""

from __future__ import annotations

import hashlib
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils import timezone
from django.utils.crypto import get_random_string

from purchase_intent.conf import bundle_keys, bundle_storage, config
from purchase_intent.exceptions import BundleRefused, ConfigurationError, ModelNotFound
from purchase_intent.features.schema import schema_hash
from purchase_intent.models import ModelVersion

if TYPE_CHECKING:
    from purchase_intent.learning import IntentEnsemble

__all__ = [
    "check_storage",
    "heirs",
    "is_ours",
    "load_bundle",
    "opened",
    "remove_bundle",
    "serving_model",
    "store_bundle",
    "stored_bundles",
]

FORMER = 5
"""How many champions of before are tried where the present one's bundle is refused."""
NAME = re.compile(r"intent-[0-9a-f]{16}-[0-9a-z]{8}\.zip")
"""Of a bundle in the storage, the whole of it."""
DRAFT = ".part"
"""What a file that is still being written ends with."""
STALE = timedelta(days=1)
"""Age at which nobody is still writing a draft."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


def store_bundle(data: bytes) -> str:
    """Keep a bundle; the name it got, which holds the first digits of its SHA-256.

    No two have one name, also where a storage would write one file over another. Under that name the bundle is there
    whole or not at all, however the process ends. Raises ConfigurationError where the storage takes no file.
    """
    digest = hashlib.sha256(data).hexdigest()
    name = f"intent-{digest[:16]}-{get_random_string(8).lower()}.zip"
    with _writing():
        return _saved_whole(bundle_storage(), name, data)


def check_storage() -> None:
    """Write and remove a small file where bundles are kept, so that training does not fail at its very end.

    Raises ConfigurationError where that cannot be done.
    """
    with _writing():
        remove_bundle(bundle_storage().save("intent-probe", ContentFile(b"probe")))


def remove_bundle(name: str) -> None:
    """Take a bundle out of the storage; nothing happens where it is not there.

    Raises ConfigurationError where the storage cannot be changed.
    """
    with _writing():
        bundle_storage().delete(name)


def stored_bundles() -> dict[str, datetime]:
    """By name, when each bundle in the storage was written; drafts and other files are left out.

    Raises ConfigurationError where the storage cannot be asked.
    """
    with _writing():
        storage = bundle_storage()
        try:
            _, files = storage.listdir("")
        except FileNotFoundError:  # a folder is made with the first file in it
            return {}
        return {name: storage.get_modified_time(name) for name in files if NAME.fullmatch(name)}


def is_ours(name: str) -> bool:
    """Whether the file of that name is a bundle that this shop signed; False where it cannot be read."""
    from purchase_intent.learning import read_manifest

    try:
        with bundle_storage().open(name) as file:
            data: bytes = file.read()
    except _faults_of_storages():
        return False
    for key in bundle_keys():
        with suppress(BundleRefused):
            read_manifest(data, key=key)
            return True
    return False


def load_bundle(version: ModelVersion) -> IntentEnsemble:
    """The model of a version, once its bundle has passed every check.

    Raises BundleRefused, with the remedy, where the bundle is missing, not the one registered, damaged, signed with
    another key or made for other features.
    """
    from purchase_intent.learning import load

    return opened(
        version.bundle,
        version.bundle_sha256,
        lambda data, key: load(data, schema=schema_hash(), key=key),
        of=f"model {version.pk}",
    )


def opened(name: str, sha256: str, read: Callable[[bytes, bytes], T], *, of: str) -> T:
    """What `read` makes of a bundle in the storage and the key that signed it; `of` names its model.

    Raises BundleRefused, with the remedy, where the file is missing, not the one that was registered, damaged or signed
    with another key, and what `read` raises.
    """
    from purchase_intent.learning import read_manifest

    data = _read(name, sha256, of)
    refusal: BundleRefused | None = None
    for key in bundle_keys():
        try:
            read_manifest(data, key=key)
        except BundleRefused as refused:
            refusal = refusal or refused
        else:
            return read(data, key)
    raise refusal or BundleRefused("no key: set SECRET_KEY")


def serving_model(horizon: str) -> tuple[ModelVersion, IntentEnsemble]:
    """The champion of a horizon; where its bundle is refused, the last champion before it whose bundle is sound.

    The refusal is logged with its remedy. Raises ModelNotFound where there is no champion, BundleRefused where no
    champion past or present can be loaded.
    """
    refusal: BundleRefused | None = None
    for version in heirs(horizon):
        try:
            return version, load_bundle(version)
        except BundleRefused as refused:
            logger.error("Model %s cannot serve: %s", version.pk, refused.message)
            refusal = refusal or refused
    raise refusal or ModelNotFound("No champion serves.")


def heirs(horizon: str) -> list[ModelVersion]:
    """The versions that may serve, in the order to try them: the champion, then the latest champions before it.

    Raises ModelNotFound where there is no champion.
    """
    champion = ModelVersion.objects.champion(horizon)
    former = ModelVersion.objects.of(horizon).usable().exclude(pk=champion.pk).filter(promoted_at__isnull=False)
    return [champion, *former.order_by("-promoted_at", "-pk")[:FORMER]]


def _saved_whole(storage: Storage, name: str, data: bytes) -> str:
    """Save under a name that nobody reads and move it, where files have paths; an object storage does so by itself."""
    try:
        storage.path(name)
    except NotImplementedError:
        return storage.save(name, ContentFile(data))
    _clear_drafts(storage)
    draft = storage.save(f"{name}{DRAFT}", ContentFile(data))
    Path(storage.path(draft)).replace(storage.path(name))
    return name


def _clear_drafts(storage: Storage) -> None:
    """Take away what trainings that were killed have left."""
    for name in storage.listdir("")[1] if storage.exists("") else ():
        if name.endswith(DRAFT) and storage.get_modified_time(name) < timezone.now() - STALE:
            storage.delete(name)


@contextmanager
def _writing() -> Iterator[None]:
    """Turn what a storage raises into a ConfigurationError that names it."""
    try:
        yield
    except _faults_of_storages() as error:
        alias = config().storage
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ConfigurationError(
            f"STORAGES[{alias!r}]: no bundle can be kept there ({why}); name a place that is there and writable",
            alias=alias,
        ) from error


def _faults_of_storages() -> tuple[type[Exception], ...]:
    """What an unreachable or refusing storage raises: S3's client has errors of its own, known once it is loaded."""
    botocore = sys.modules.get("botocore.exceptions")
    more = (botocore.BotoCoreError, botocore.ClientError) if botocore is not None else ()
    return (OSError, ValueError, *more)


def _read(name: str, sha256: str, of: str) -> bytes:
    remedy = "restore it from a backup, roll back to another version, or train again"
    try:
        with bundle_storage().open(name) as file:
            data: bytes = file.read()
    except _faults_of_storages() as missing:
        raise BundleRefused(f"The bundle of {of} cannot be read from the storage: {remedy}", bundle=name) from missing
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise BundleRefused(
            f"The bundle of {of} is not the one that was registered: {remedy}",
            bundle=name,
            expected=sha256,
            found=found,
        )
    return data
