"""A longer log takes longer, not more memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="peak memory is read the POSIX way")

RUN = """
import resource, sys
from datetime import date
from pathlib import Path
from demo_shop.simulator import Plan, write_log
figures = write_log(
    Plan(start=date(2026, 3, 2), days=int(sys.argv[1]), sessions_per_day=5000, hours_per_slice=24), Path(sys.argv[2])
)
unit = 1 if sys.platform == "darwin" else 1024
print(figures.events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def measure(days: int, path: Path) -> tuple[int, int]:
    """Events written and peak memory in bytes, in a process of its own."""
    command = [sys.executable, "-c", RUN, str(days), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    events, peak = done.stdout.split()
    return int(events), int(peak)


@pytest.mark.slow
def test_four_times_the_events_take_hardly_more_memory(tmp_path: Path) -> None:
    few, low = measure(7, tmp_path / "short.csv")
    many, high = measure(28, tmp_path / "long.csv")
    assert many > 3.5 * few > 600_000
    assert high - low < 60 * 2**20
    assert high < 500 * 2**20
