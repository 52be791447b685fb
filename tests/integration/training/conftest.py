"""Training in seconds, for the tests that are about training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from purchase_intent.learning import MEMBERS, IntentEnsemble
from purchase_intent.models import ModelVersion
from tests.logs import split
from tests.trained import QUICK, SHIPPED_LOG, Trained, few_rounds

__all__ = ["intent_train", "nothing_registered"]

WEEKS_END = "2026-03-16T00:00:00+01:00"
"""Two weeks after the shipped log begins."""


def intent_train(*arguments: object) -> str:
    """Run the command; what it printed."""
    out = StringIO()
    call_command("intent_train", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def nothing_registered(bundle_folder: Path) -> bool:
    return not ModelVersion.objects.exists() and not list(bundle_folder.glob("*"))


@pytest.fixture(scope="module")
def quick_members() -> Iterator[None]:
    """Members that learn in seconds."""
    with few_rounds(15), pytest.MonkeyPatch.context() as patch:
        for name, params in QUICK.items():
            patch.setattr(MEMBERS[name], "defaults", {**MEMBERS[name].defaults, **params})
        yield


@pytest.fixture(scope="session")
def short_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks of the shipped log, which a model can be learnt from in seconds."""
    folder = tmp_path_factory.mktemp("short")
    split(SHIPPED_LOG, folder / "short.parquet", folder / "rest.parquet", at=WEEKS_END)
    return folder / "short.parquet"


@pytest.fixture
def learnt_already(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Callable[..., IntentEnsemble]:
    """Have every fit answer with the run's one model: for what comes after a model is learnt."""

    def fit(*_: object, **__: object) -> IntentEnsemble:
        return trained.ensemble

    monkeypatch.setattr(IntentEnsemble, "fit", fit)
    return fit
