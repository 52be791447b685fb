"""What every test can ask for, and the choice of database."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import storages
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from tests.postgres import running_server, use_database

if TYPE_CHECKING:
    from purchase_intent.models import ModelVersion
    from tests.trained import Trained

# Before any test module loads a learner: threads that spin while they wait slow a busy machine down a hundredfold.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A busy machine is no failure: an example may take its time. The rest is as Hypothesis has it, on a build machine too.
hypothesis_settings.register_profile("project", hypothesis_settings.default, deadline=None)
hypothesis_settings.load_profile("project")


BROWSER = Path(__file__).with_name("e2e")
"""The tests in Chromium, which take the longest."""
DATABASE = frozenset({"db", "transactional_db", "django_db_serialized_rollback", "django_db_setup", "live_server"})
"""Fixtures that open the database; whoever asks for one, itself or by another fixture, asks for the database."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="run on SQLite (or on what DATABASE_URL names), or run the tests that use the database on a PostgreSQL "
        "server started for the run",
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [
        f"database: {config.getoption('--database')}",
        "real logs: " + ("at hand" if os.environ.get("INTENT_DATA") else "none, INTENT_DATA is unset"),
    ]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of a run on PostgreSQL what would do the same on any database: tests without one, and the browser's.

    Where processes share the run, files with slow tests come first: none is left to one process at the end.
    """
    if config.getoption("--database") == "postgres":
        rest = [item for item in items if not depends_on_database(item)]
        config.hook.pytest_deselected(items=rest)
        items[:] = [item for item in items if depends_on_database(item)]
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])


def depends_on_database(item: pytest.Item) -> bool:
    """Whether a test asks the database itself; pages that a browser draws others have asked for, too."""
    if BROWSER in item.path.parents:
        return False
    asked = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not DATABASE.isdisjoint(asked)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> Iterator[None]:
    """Swap the database before the test database is made, where the run asks for PostgreSQL."""
    if request.config.getoption("--database") != "postgres":
        yield
        return
    with running_server() as server:
        use_database(server.url)
        yield


@pytest.fixture(autouse=True, scope="session")
def passwords_hashed_quickly() -> Iterator[None]:
    """Spare each user that a test makes the quarter of a second that a password of a real shop takes."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def champion_looked_up_anew() -> None:
    """Forget what an earlier test's database said of a champion, which faults were logged, and which sinks failed."""
    if "purchase_intent.scoring.serving" in sys.modules:
        sys.modules["purchase_intent.scoring.serving"].forget()
    if "purchase_intent.scoring.faults" in sys.modules:
        sys.modules["purchase_intent.scoring.faults"].forget_faults()
    if "purchase_intent.scoring.shadow" in sys.modules:
        sys.modules["purchase_intent.scoring.shadow"].forget_challengers()
    if "purchase_intent.tracking.sinks.chain" in sys.modules:
        sys.modules["purchase_intent.tracking.sinks.chain"].forget_chains()
    if "purchase_intent.api.throttles" in sys.modules:
        sys.modules["purchase_intent.api.throttles"].forget_senders()
    if "purchase_intent.segments.active" in sys.modules:
        sys.modules["purchase_intent.segments.active"].forget_segments()
    if "purchase_intent.segments.live" in sys.modules:
        sys.modules["purchase_intent.segments.live"].forget_unknown()
    if "purchase_intent.experiments.active" in sys.modules:
        sys.modules["purchase_intent.experiments.active"].forget_experiments()
    if "purchase_intent.experiments.exposing" in sys.modules:
        sys.modules["purchase_intent.experiments.exposing"].forget_exposures()
    if "purchase_intent.experiments.uplift.serving" in sys.modules:
        sys.modules["purchase_intent.experiments.uplift.serving"].forget_uplift()


@pytest.fixture
def bundle_folder(settings: Settings, tmp_path: Path) -> Path:
    """Keep model bundles in a folder of the test's own, and return it."""
    folder = tmp_path / "bundles"
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": backend}
    assert Path(storages["purchase_intent"].path("")) == folder
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The run's one small model, and the logs around it."""
    from tests.trained import trained_once

    return trained_once(tmp_path_factory)


@pytest.fixture
def champion(trained: Trained, db: None, bundle_folder: Path) -> ModelVersion:
    """That model, registered and serving."""
    from tests.trained import register

    return register(trained.bundle)


@pytest.fixture(scope="session")
def real_logs() -> Path:
    """Return the folder of real event logs; the test is skipped where there is none."""
    given = os.environ.get("INTENT_DATA")
    if not given:
        pytest.skip("INTENT_DATA names no folder of real logs")
    folder = Path(given)
    assert folder.is_dir(), f"INTENT_DATA names {given}, which is no folder"
    return folder
