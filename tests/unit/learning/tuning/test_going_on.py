"""A search that ended is gone on from its file, and gives what one run would have given."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from purchase_intent.exceptions import TrainingBusy
from purchase_intent.learning import Tuning
from purchase_intent.learning.tuning import Ground
from tests.unit.learning.tuning.searches import lines_of_trials, tuned


def test_going_on_is_the_same_as_never_having_stopped(
    ground: Ground, whole: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    study, steps = tmp_path / "study", list[str]()
    tuned(ground, Tuning(trials=4, study=study))
    before = study.read_bytes()
    chosen, figures = tuned(ground, Tuning(trials=9, study=study), progress=steps.append)
    assert (chosen, figures) == whole
    assert study.read_bytes().startswith(before)
    assert [step.split(",")[0] for step in steps[1:-2]] == [f"tuning lightgbm: trial {n} of 9" for n in range(5, 10)]
    settled, steps[:] = study.read_bytes(), []
    assert tuned(ground, Tuning(trials=9, study=study), progress=steps.append) == whole
    assert len(lines_of_trials(study)) == 9
    assert not any("trial" in step.split(":")[-1] for step in steps[1:-2])
    assert settled.count(b'"op_code":4') == 9


SCRIPT = """
from pathlib import Path
from purchase_intent.learning import MEMBERS, Tuning
from tests.unit.learning.tuning.searches import ROUNDS, small_ground, tuned
MEMBERS["lightgbm"].max_rounds = ROUNDS
told = lambda step: print(step, flush=True)
tuned(small_ground(), Tuning(trials=10**6, study=Path({study!r})), progress=told)
"""


def test_a_killed_search_goes_on_from_its_last_finished_trial(
    ground: Ground, whole: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    study = tmp_path / "study"
    command = [sys.executable, "-c", SCRIPT.format(study=str(study))]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any("trial 4 of" in line for line in running.stdout)
        with pytest.raises(TrainingBusy, match=r"study: .* is in use by another training"):
            tuned(ground, Tuning(trials=9, study=study))
        running.send_signal(signal.SIGKILL)
    whole_lines = study.read_bytes().rpartition(b"\n")[0].split(b"\n")[:5]
    # As if it had been killed in the midst of writing the fourth trial, with Optuna's own lock held.
    study.write_bytes(b"\n".join(whole_lines) + b'\n{"op_code":4,"work')
    lock = Path(f"{study}.lock")
    lock.unlink(missing_ok=True)
    lock.symlink_to(study)
    assert tuned(ground, Tuning(trials=9, study=study)) == whole
    assert len(lines_of_trials(study)) == 9


def test_the_lock_goes_with_the_search(ground: Ground, tmp_path: Path) -> None:
    study = tmp_path / "study"
    tuned(ground, Tuning(trials=1, study=study))
    with closing(sqlite3.connect(f"{study}.in-use", timeout=0, isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")
