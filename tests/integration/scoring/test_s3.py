"""Bundles in an S3 bucket, over HTTP: kept, served, replaced without a restart, refused; and a server that is gone."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from purchase_intent.exceptions import BundleRefused, ConfigurationError
from purchase_intent.scoring import serving
from purchase_intent.scoring.bundles import check_storage, load_bundle, remove_bundle, store_bundle
from purchase_intent.scoring.serving import LOOK_EVERY, RETRY_AFTER
from tests.integration.scoring.conftest import Clock
from tests.s3 import backend, running_s3
from tests.trained import register

pytestmark = pytest.mark.django_db
GONE = "http://127.0.0.1:9"
"""The port of a service that nobody runs."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_s3() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(server: str, settings: Settings) -> str:
    """Keep bundles in the server's bucket; the address of the server."""
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": backend(server)}
    return server


def use(settings: Settings, endpoint: str, **options: str) -> None:
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": backend(endpoint, **options)}


def test_a_bundle_comes_back_as_it_went(bucket: str, bundle: bytes) -> None:
    name = store_bundle(bundle)
    with storages["purchase_intent"].open(name) as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(bundle).digest()


def test_the_same_bundle_twice_is_two_objects(bucket: str, bundle: bytes) -> None:
    first, second = store_bundle(bundle), store_bundle(bundle)
    remove_bundle(second)
    assert first != second
    assert storages["purchase_intent"].exists(first)


def test_a_champion_promoted_elsewhere_is_picked_up_without_a_restart(
    bucket: str, bundle: bytes, other_bundle: bytes, clock: Clock
) -> None:
    former, newer = register(bundle), register(other_bundle, promote=False)
    held = serving.champion()
    assert held is not None
    assert held.version == former
    # As another process would do it: no signal is heard here.
    type(former).objects.filter(pk=former.pk).update(status="archived")
    type(former).objects.filter(pk=newer.pk).update(status="champion", promoted_at=former.promoted_at)
    clock.now += LOOK_EVERY
    found = serving.champion()
    assert found is not None
    assert found.version == newer
    assert found.model is not held.model


def test_half_an_object_never_serves(
    bucket: str, bundle: bytes, other_bundle: bytes, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    former, newer = register(bundle), register(other_bundle)
    storages["purchase_intent"].save(newer.bundle, BytesIO(other_bundle[: len(other_bundle) // 2]))
    with pytest.raises(BundleRefused, match="not the one that was registered: restore it from a backup"):
        load_bundle(newer)
    found = serving.champion()
    assert found is not None
    assert found.version == former
    storages["purchase_intent"].save(newer.bundle, BytesIO(other_bundle))
    clock.now += RETRY_AFTER
    found = serving.champion()
    assert found is not None
    assert found.version == newer


def test_a_server_that_goes_away_leaves_the_loaded_champion_serving(
    bucket: str, bundle: bytes, other_bundle: bytes, clock: Clock, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    former = register(bundle)
    assert serving.champion() is not None
    newer = register(other_bundle)
    use(settings, GONE)
    clock.now += LOOK_EVERY
    with caplog.at_level(logging.ERROR):
        found = serving.champion()
    assert found is not None
    assert found.version == former
    said = f"Model {newer.pk} cannot serve: The bundle of model {newer.pk} cannot be read from the storage"
    assert said in caplog.text


@pytest.mark.parametrize(
    ("endpoint", "bucket_name", "said"),
    [
        pytest.param(GONE, "bundles", "Could not connect", id="nobody listens"),
        pytest.param("", "not-there", "NoSuchBucket", id="no such bucket"),
    ],
)
def test_a_bucket_that_takes_nothing_is_named_before_training(
    server: str, settings: Settings, endpoint: str, bucket_name: str, said: str
) -> None:
    use(settings, endpoint or server, bucket=bucket_name)
    for refused in (check_storage, lambda: store_bundle(b"bundle")):
        with pytest.raises(ConfigurationError) as error:
            refused()
        assert "STORAGES['purchase_intent']: no bundle can be kept there" in error.value.message
        assert said in error.value.message
