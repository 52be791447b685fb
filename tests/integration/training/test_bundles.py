"""Stored bundles: what is refused, with which remedy, and who serves on."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from purchase_intent.exceptions import BundleRefused, ModelNotFound
from purchase_intent.features import schema
from purchase_intent.models import ModelVersion
from purchase_intent.scoring import bundles
from purchase_intent.scoring.bundles import load_bundle, serving_model
from tests.trained import damage

pytestmark = pytest.mark.django_db


def copy_of(version: ModelVersion) -> ModelVersion:
    with storages["purchase_intent"].open(version.bundle) as file:
        name = bundles.store_bundle(file.read())
    version.pk = None
    version.bundle, version.status = name, "candidate"
    version.save()
    return version


def test_a_sound_bundle_is_loaded(champion: ModelVersion) -> None:
    found, ensemble = serving_model("session")
    assert found == champion
    assert len(ensemble.members) == 4


def test_a_changed_byte_is_refused_with_the_remedy(champion: ModelVersion) -> None:
    damage(champion)
    with pytest.raises(BundleRefused, match="not the one that was registered: restore it from a backup"):
        load_bundle(champion)


def test_a_missing_bundle_is_refused_with_the_remedy(champion: ModelVersion) -> None:
    storages["purchase_intent"].delete(champion.bundle)
    with pytest.raises(BundleRefused, match="cannot be read from the storage: restore it"):
        load_bundle(champion)


def test_other_features_are_refused(champion: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "schema_hash", lambda: "another")
    with pytest.raises(BundleRefused) as refused:
        load_bundle(champion)
    assert refused.value.facts == {"expected": "another", "found": schema.schema_hash()}


def test_another_secret_is_refused_until_it_is_a_fallback(champion: ModelVersion, settings: Settings) -> None:
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another-secret"
    with pytest.raises(BundleRefused, match="signature"):
        load_bundle(champion)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert len(load_bundle(champion).members) == 4


def test_the_last_good_champion_serves_on(champion: ModelVersion, caplog: pytest.LogCaptureFixture) -> None:
    former = ModelVersion.objects.get(pk=champion.pk)
    newer = copy_of(ModelVersion.objects.get(pk=champion.pk))
    newer.promote()
    damage(newer)
    with caplog.at_level(logging.ERROR):
        found, _ = serving_model("session")
    assert found == former
    assert f"Model {newer.pk} cannot serve" in caplog.text


def test_no_sound_champion_is_an_error(champion: ModelVersion) -> None:
    damage(champion)
    with pytest.raises(BundleRefused, match="not the one that was registered"):
        serving_model("session")


def test_no_champion_is_named(bundle_folder: Path) -> None:
    with pytest.raises(ModelNotFound, match="intent_train"):
        serving_model("session")


def test_a_bundle_that_was_being_written_is_not_there_and_is_cleared_away_in_time(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            bundles.store_bundle(b"half")
    [draft] = bundle_folder.iterdir()
    assert draft.suffix == ".part"
    bundles.store_bundle(b"another")
    assert draft.exists(), "a training beside this one may still be writing it"
    long_ago = draft.stat().st_mtime - bundles.STALE.total_seconds() - 1
    os.utime(draft, (long_ago, long_ago))
    name = bundles.store_bundle(b"third")
    assert not draft.exists()
    assert (bundle_folder / name).read_bytes() == b"third"
