"""`PURCHASE_INTENT` is read live, and what is wrong with it is named with its remedy."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import FileSystemStorage
from pytest_django import Settings

from purchase_intent.conf import Config, Fault, bundle_key, bundle_keys, bundle_storage, config, faults
from purchase_intent.exceptions import ConfigurationError


def test_without_the_setting_every_default_holds(settings: Settings) -> None:
    del settings.PURCHASE_INTENT
    settings.TIME_ZONE = "Europe/Lisbon"
    assert config() == Config(
        time_zone=ZoneInfo("Europe/Lisbon"),
        storage="purchase_intent",
        shop="purchase_intent.adapters.Shop",
        retention_days=395,
        spool="",
        stream="",
    )


def test_settings_are_read_live(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": "Asia/Tokyo"}
    before = config()
    settings.PURCHASE_INTENT = {"TIME_ZONE": "UTC", "STORAGE": "vault"}
    assert (before.time_zone.key, before.storage) == ("Asia/Tokyo", "purchase_intent")
    assert (config().time_zone.key, config().storage) == ("UTC", "vault")


def test_a_configuration_does_not_change(settings: Settings) -> None:
    with pytest.raises(FrozenInstanceError):
        config().storage = "elsewhere"  # type: ignore[misc]  # the very thing that must fail


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([], ("not_a_dict", "PURCHASE_INTENT"), id="not a dictionary"),
        pytest.param(None, ("not_a_dict", "PURCHASE_INTENT"), id="None"),
        pytest.param({"TIMEZONE": "UTC"}, ("unknown", "TIMEZONE"), id="unknown name"),
        pytest.param({7: "UTC"}, ("unknown", "7"), id="name that is no text"),
        pytest.param({"TIME_ZONE": 3}, ("type", "TIME_ZONE"), id="wrong type"),
        pytest.param({"STORAGE": None}, ("type", "STORAGE"), id="None for a text"),
        pytest.param({"TIME_ZONE": "Mars/Olympus"}, ("value", "TIME_ZONE"), id="unknown zone"),
        pytest.param({"TIME_ZONE": "../etc/passwd"}, ("value", "TIME_ZONE"), id="zone that is a path"),
        pytest.param({"TIME_ZONE": ""}, ("value", "TIME_ZONE"), id="empty zone"),
        pytest.param({"STORAGE": ""}, ("value", "STORAGE"), id="empty alias"),
        pytest.param({"STREAM": "localhost:6379"}, ("value", "STREAM"), id="address without a scheme"),
        pytest.param({"SPOOL": "var/spool"}, ("value", "SPOOL"), id="spool wherever the process happens to be"),
    ],
)
def test_a_fault_is_named_and_the_reader_refuses(settings: Settings, given: object, expected: tuple[str, str]) -> None:
    settings.PURCHASE_INTENT = given
    (fault,) = faults()
    assert (fault.code, fault.name) == expected
    with pytest.raises(ConfigurationError) as refusal:
        config()
    assert refusal.value.message == f"{fault.message} {fault.remedy}"
    assert refusal.value.facts == {"setting": fault.name, "reason": fault.code}


def test_an_unknown_name_is_met_with_the_one_meant(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"time_zone": "UTC", "colour": "red"}
    assert list(faults()) == [
        Fault("unknown", "time_zone", "PURCHASE_INTENT['time_zone'] is not a setting.", "Did you mean 'TIME_ZONE'?"),
        Fault(
            "unknown",
            "colour",
            "PURCHASE_INTENT['colour'] is not a setting.",
            "The settings are: RETENTION_DAYS, SHOP, SPOOL, STORAGE, STREAM, TIME_ZONE.",
        ),
    ]


def test_bundles_are_kept_under_the_alias_configured(settings: Settings, bundle_folder: Path) -> None:
    storage = bundle_storage()
    assert isinstance(storage, FileSystemStorage)
    assert Path(storage.location) == bundle_folder


def test_without_its_alias_there_is_no_storage_to_fall_back_to(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"STORAGE": "vault"}
    with pytest.raises(ConfigurationError, match="STORAGES has no 'vault'") as refusal:
        bundle_storage()
    assert refusal.value.facts == {"alias": "vault"}


def test_bundles_are_signed_with_a_key_of_their_own(settings: Settings) -> None:
    settings.SECRET_KEY = "the first secret"
    key = bundle_key()
    assert len(key) == 32
    assert b"the first secret" not in key
    assert bundle_keys() == (key,)
    settings.SECRET_KEY = "the second secret"
    assert bundle_key() != key


def test_after_the_secret_changes_older_bundles_still_verify(settings: Settings) -> None:
    settings.SECRET_KEY = "the first secret"
    old = bundle_key()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the second secret", ["the first secret"]
    assert bundle_keys() == (bundle_key(), old)
