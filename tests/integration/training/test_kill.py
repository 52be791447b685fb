"""A training that is killed, at whatever moment, leaves the champion serving and no half bundle on record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.training.killed import MOMENTS

if not hasattr(os, "fork"):
    pytest.skip("nothing forks here", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[3]
Ended = dict[str, Any]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """How each child ended and what it left, by the moment at which it died."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.training.killed", str(tmp_path_factory.mktemp("killed"))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Ended = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_champion_goes_on_and_nothing_half_is_on_record(ended: Ended, moment: str) -> None:
    code, left = ended[moment]
    begun = ended["begun"][1]
    assert code == signal.SIGKILL
    assert left["versions"] == begun["versions"]
    ((_, status, bundle),) = left["versions"]
    assert status == "champion"
    assert bundle in left["files"]


def test_half_a_bundle_never_has_a_bundles_name(ended: Ended) -> None:
    before, half = (ended[moment][1]["files"] for moment in MOMENTS[-4:-2])
    (new,) = set(half) - set(before)
    assert new.endswith(".part")


def test_running_again_completes(ended: Ended) -> None:
    code, left = ended["run again"]
    (champion, candidate) = left["versions"]
    assert (ended["begun"][0], code) == (0, 0)
    assert champion == ended["begun"][1]["versions"][0]
    assert candidate[1] in ("candidate", "challenger")
    assert candidate[2] in left["files"]
