"""Run by `test_kill.py` in a process of its own: trainings that are killed, each a child with a database on disk.

Arguments: a folder. Prints, for each moment of dying, how the child ended and what it left. The parent imports
learners and never calls one, so that its children may.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit

DAY = 86_400_000
MOMENTS = (
    "folding events",
    "fitting lightgbm",
    "weighing and calibrating",
    "fitting lightgbm on everything",
    "rehearsing lightgbm",
    "comparing with the champion",
    "registering",
    "half of the bundle is written",
    "the bundle is there, the record is not",
    "the record is there, not committed",
)
MIDDLE, END = 40 * DAY, 60 * DAY


def sample(until: int) -> Any:
    """Sessions of real features, more likely to buy the further they came."""
    from purchase_intent.features.schema import CATEGORICAL, FEATURES
    from purchase_intent.learning import Sample, Table, case_weights

    rng = np.random.default_rng(3)
    names = tuple(feature.name for feature in FEATURES)
    values = np.zeros((2400, len(names)), np.float32)
    stage = rng.integers(1, 5, len(values))
    values[:, names.index("stage")] = stage
    labels = (rng.random(len(values)) < expit(-4 + 1.2 * stage)).astype(np.uint8)
    times, owner = np.sort(rng.integers(0, END, len(values))), np.arange(len(values))
    whole = Sample(Table(values, names, CATEGORICAL), labels, case_weights(owner), owner, times)
    return whole.take(np.flatnonzero(times < until))


def die() -> None:
    """As a machine that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)


def train(until: int, moment: str) -> None:
    """Train on what happened before `until`, and die at a moment; "" lives."""
    from purchase_intent.learning import IntentEnsemble
    from purchase_intent.models import ModelVersion
    from purchase_intent.training import registering, run

    @contextmanager
    def opened(*_: object) -> Iterator[Any]:
        ends = {"first": datetime.fromtimestamp(0, UTC), "last": datetime.fromtimestamp(until / 1000, UTC)}
        facts = {"zone": "UTC", "layout": "made", "rejected": {}, "revenue": 0.0}
        counts = dict.fromkeys(("rows", "accepted", "sessions", "visitors", "buying_sessions", "orders"), 1500)
        yield SimpleNamespace(**ends, **facts, **counts)

    def built(_: object, *, progress: Callable[[str], None], **__: object) -> Any:
        progress("folding events: 1 of 1")
        return sample(until)

    def told(step: str) -> None:
        if moment and step.split(":", maxsplit=1)[0] == moment:
            die()

    params = {"lightgbm": {"learning_rate": 0.3, "num_leaves": 4, "min_data_in_leaf": 20, "early_stopping": 5}}
    replaced: dict[str, tuple[Any, str, Any]] = {
        "half of the bundle is written": (Path, "replace", lambda *_: die()),
        "the bundle is there, the record is not": (ModelVersion.objects, "create", lambda **_: die()),
        "the record is there, not committed": (registering, "_placed", lambda *_: die()),
    }
    if moment in replaced:
        setattr(*replaced[moment])
    quick = SimpleNamespace(fit=partial(IntentEnsemble.fit, members=("lightgbm",), params=params))
    for name, stand_in in (("_opened", opened), ("build_sample", built), ("IntentEnsemble", quick)):
        setattr(run, name, stand_in)
    run.train(run.Request(events=[], zone="UTC", threads=1), progress=told)


def child(until: int, moment: str) -> int:
    """Train in a child; the signal that ended it, or its exit code below zero."""
    from django.db import connection

    connection.close()
    if (process := os.fork()) == 0:
        train(until, moment)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def left(folder: Path) -> dict[str, Any]:
    """The versions on record and what lies where bundles are kept, whole or not."""
    from purchase_intent.models import ModelVersion

    versions = list(ModelVersion.objects.order_by("pk").values_list("pk", "status", "bundle"))
    return {"versions": versions, "files": sorted(path.name for path in (folder / "bundles").glob("*"))}


def main(folder: Path) -> None:
    import django

    os.environ |= {"DATABASE_URL": "", "OMP_NUM_THREADS": "1"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
    from django.conf import settings

    databases: Any = settings.DATABASES
    databases["default"]["NAME"] = folder / "db.sqlite3"
    storages: Any = settings.STORAGES
    storages["purchase_intent"]["OPTIONS"]["location"] = folder / "bundles"
    django.setup()
    import lightgbm  # noqa: F401 (so that no child has to read it anew)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    found = {"begun": [child(MIDDLE, ""), left(folder)]}
    for moment in MOMENTS:
        found[moment] = [child(END, moment), left(folder)]
    found["run again"] = [child(END, ""), left(folder)]
    print(json.dumps(found))  # noqa: T201 (the answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
