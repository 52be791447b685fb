"""A log to import, small enough for many imports, and what the database then holds."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from purchase_intent.models import CatalogueDay, Event, Order, Session, Visitor
from tests.logs import cut
from tests.trained import SHIPPED_LOG

ZONE = "Europe/Berlin"
Import = Callable[..., str]


@pytest.fixture(scope="session")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first days of the log that the project ships."""
    path = tmp_path_factory.mktemp("small") / "small.parquet"
    cut(SHIPPED_LOG, path, share=0.06)
    return path


@pytest.fixture(scope="session")
def longer_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough of it to learn from."""
    path = tmp_path_factory.mktemp("longer") / "longer.parquet"
    cut(SHIPPED_LOG, path, share=0.25)
    return path


@pytest.fixture
def intent_import() -> Import:
    """Return a function that runs the command and gives back what it printed."""

    def run(*paths: Path, **options: object) -> str:
        out = StringIO()
        given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        call_command("intent_import", "--events", *map(str, paths), *given, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def stored() -> Callable[[], dict[str, list[Any]]]:
    """Return a function that gives everything the tables hold, primary keys left out."""

    def read() -> dict[str, list[Any]]:
        names: dict[Any, tuple[str, ...]] = {
            Visitor: ("cookie", "known", "past", "first_seen", "last_seen"),
            Session: (
                *("key", "visitor__cookie", "state", "past", "sequence", "has_news", "stage", "landing", "started_at"),
                *("last_at", "device", "channel", "country", "closed_at", "outcome", "version"),
            ),
            Event: ("key", "session__key", "visitor__cookie", "sequence", "name", "product", "price", "revenue"),
            Order: ("number", "visitor__cookie", "session__key", "revenue", "placed_at"),
            CatalogueDay: ("day", "subject", "key", "views", "carts", "buys", "cents", "sessions", "buyers"),
        }
        return {
            model.__name__: [
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in model.objects.order_by(*columns[:3]).values_list(*columns)
            ]
            for model, columns in names.items()
        }

    return read
