"""A longer log takes longer, not more memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

if not Path("/proc/self/status").exists():
    pytest.skip("peak memory is read from /proc", allow_module_level=True)

RUN = """
import sys
from datetime import date
from pathlib import Path
from demo_shop.simulator import Plan, write_log
figures = write_log(
    Plan(start=date(2026, 3, 2), days=int(sys.argv[1]), sessions_per_day=5000, hours_per_slice=24), Path(sys.argv[2])
)
# Not getrusage: there a child counts what its parent had when it was forked.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(figures.events, int(peak.split()[1]) * 1024)
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
