"""Bundles in the shop's storage: written once under a name of their own, checked at every reading."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile

from purchase_intent.conf import bundle_keys, bundle_storage, config
from purchase_intent.exceptions import BundleRefused, ConfigurationError, ModelNotFound
from purchase_intent.features.schema import schema_hash
from purchase_intent.models import ModelVersion

if TYPE_CHECKING:
    from purchase_intent.learning import IntentEnsemble

__all__ = ["check_storage", "heirs", "load_bundle", "remove_bundle", "serving_model", "store_bundle"]

FORMER = 5
"""How many champions of before are tried where the present one's bundle is refused."""

logger = logging.getLogger(__name__)


def store_bundle(data: bytes) -> str:
    """Keep a bundle; the name it got, which holds the first digits of its SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    return bundle_storage().save(f"intent-{digest[:16]}.zip", ContentFile(data))


def check_storage() -> None:
    """Write and remove a small file where bundles are kept, so that training does not fail at its very end.

    Raises ConfigurationError where that cannot be done.
    """
    try:
        remove_bundle(bundle_storage().save("intent-probe", ContentFile(b"probe")))
    except OSError as error:
        alias = config().storage
        raise ConfigurationError(
            f"STORAGES[{alias!r}]: no bundle can be kept there ({error.strerror or error}); name a writable place",
            alias=alias,
        ) from error


def remove_bundle(name: str) -> None:
    """Take a bundle out of the storage; nothing happens where it is not there."""
    bundle_storage().delete(name)


def load_bundle(version: ModelVersion) -> IntentEnsemble:
    """The model of a version, once its bundle has passed every check.

    Raises BundleRefused, with the remedy, where the bundle is missing, not the one registered, damaged, signed with
    another key or made for other features.
    """
    from purchase_intent.learning import load, read_manifest

    data = _read(version)
    refusal: BundleRefused | None = None
    for key in bundle_keys():
        try:
            read_manifest(data, key=key)
        except BundleRefused as refused:
            refusal = refusal or refused
        else:
            return load(data, schema=schema_hash(), key=key)
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


def _read(version: ModelVersion) -> bytes:
    remedy = "restore it from a backup, roll back to another version, or train again"
    try:
        with bundle_storage().open(version.bundle) as file:
            data: bytes = file.read()
    except (OSError, ValueError) as missing:
        raise BundleRefused(
            f"The bundle of model {version.pk} cannot be read from the storage: {remedy}", version=version.pk
        ) from missing
    found = hashlib.sha256(data).hexdigest()
    if found != version.bundle_sha256:
        raise BundleRefused(
            f"The bundle of model {version.pk} is not the one that was registered: {remedy}",
            version=version.pk,
            expected=version.bundle_sha256,
            found=found,
        )
    return data
