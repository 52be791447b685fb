"""Processes that fork, for real: each case in a fresh process of its own, with a limit in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import schema_hash

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

PROGRAM = """
import json, os, signal, sys
from datetime import UTC, datetime
from types import SimpleNamespace
import django
django.setup()
from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.features.state import Past, State
from purchase_intent.learning import load
from purchase_intent.scoring import serving
from purchase_intent.scoring.score import answer

path, schema, key, act = sys.argv[1:]
version = SimpleNamespace(pk=1, bundle_sha256="a")
serving.heirs = lambda horizon: [version]
serving.load_bundle = lambda version: load(open(path, "rb").read(), schema=schema, key=bytes.fromhex(key))
serving._champion_on_record = lambda horizon: serving._OnRecord(1, "a", None, None, None, None)
at = datetime(2026, 3, 1, 12, tzinfo=UTC)
now = int(at.timestamp()) * 1000
state = State(start=now - 60_000, last=now, events=3, moments=3, stage=2)

def told():
    try:
        found = answer(state, Past(), at=at)
        return [found.standing, round(found.probability, 9)]
    except ForkedTooLate as refused:
        return ["refused", refused.message]

if act == "load":
    parent = serving.champion().version.pk
elif act == "score":
    parent = told()
else:
    parent = None
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    signal.alarm(120)
    os.write(writing, json.dumps(told()).encode())
    os._exit(0)
if os.waitpid(child, 0)[1] != 0:
    sys.exit("the child hangs")
print(json.dumps([parent, json.loads(os.read(reading, 10_000)), told()]))
"""


def family(bundle: bytes, folder: Path, act: str, **environment: str) -> Any:
    """What the parent got before the fork, what the child got, and what the parent gets after it."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "OMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), schema_hash(), bundle_key().hex(), act],
        cwd=ROOT,
        env=kept | {"DJANGO_SETTINGS_MODULE": "demo_shop.settings"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("act", ["nothing", "load"])
@pytest.mark.parametrize("environment", [{}, {"OMP_NUM_THREADS": "1"}], ids=["threads unset", "one thread"])
def test_a_child_of_a_parent_that_has_not_scored_scores(
    bundle: bytes, tmp_path: Path, act: str, environment: dict[str, str]
) -> None:
    _, child, after = family(bundle, tmp_path, act, **environment)
    assert child[0] == "scored"
    assert child == after


def test_a_child_of_a_parent_that_has_scored_refuses_at_once(bundle: bytes, tmp_path: Path) -> None:
    before, child, after = family(bundle, tmp_path, "score")
    assert before[0] == "scored"
    assert before == after
    assert child[0] == "refused"
    assert "forked from one that had already scored" in child[1]


def test_a_child_refuses_where_several_threads_have_loaded_the_model(bundle: bytes, tmp_path: Path) -> None:
    _, child, after = family(bundle, tmp_path, "load", OMP_NUM_THREADS="2")
    assert child[0] == "refused"
    assert "OMP_NUM_THREADS=1" in child[1]
    assert after[0] == "scored"
