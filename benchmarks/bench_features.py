"""From a REES46 CSV to a feature matrix, beside what DuckDB needs just to read and sort that file.

    python benchmarks/bench_features.py [--events 4000000] [--csv FILE] [--report-only]

Makes the log with the simulator where no file is given. Each side runs in a process of its own, with two threads, from
start to end: imports, compiling and writing the vectors into their buffer included. DuckDB does its
part in two ways, keeping the sorted rows as a table or letting them go; the faster one is the yardstick. Some six
seconds of ours are imports and compiling, so a small log shows a larger ratio. What counts is the processor's time; the
clock's stands beside it. Ends with 1 where the limit is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

LIMIT = 4.0
"""Our time over DuckDB's."""
ROOT = Path(__file__).resolve().parents[1]

_SORT = "SELECT * FROM read_csv('{path}') ORDER BY user_id, event_time"
_DUCKDB = """
import sys, duckdb
connection = duckdb.connect()
connection.execute("SET threads = 2; SET memory_limit = '2GB'; SET timezone = 'UTC'")
connection.execute(f"SET temp_directory = '{sys.argv[2]}'")
"""
SIDES = {
    "DuckDB: read and sort, kept as a table": _DUCKDB
    + f"connection.execute('CREATE TABLE log AS ' + {_SORT!r}.format(path=sys.argv[1]))",
    "DuckDB: read and sort, rows let go": _DUCKDB
    + f"for part in connection.execute({_SORT!r}.format(path=sys.argv[1])).to_arrow_reader(100_000): pass",
    "ours: read, check, sort, fold into vectors": """
import sys
from pathlib import Path
import numpy as np
from purchase_intent.features.history import replay
from purchase_intent.features.schema import FEATURES
from purchase_intent.sources import open_log
buffer = np.empty((500_000, len(FEATURES)), np.float32)
events = 0
with open_log([Path(sys.argv[1])], zone="Europe/Moscow", memory="2GB", threads=2, scratch=Path(sys.argv[2])) as log:
    for batch in log.batches(500_000):
        events += len(replay(batch.hits, batch.visitor, batch.session, buffer))
    assert events == log.accepted
""",
}
_MEASURED = """
import time
started = time.perf_counter()
{body}
from pathlib import Path as _Path
peak = next(line for line in _Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print("figures", time.process_time(), time.perf_counter() - started, int(peak.split()[1]) / 2**20)
"""


class Cost(NamedTuple):
    """Seconds of the processor and of the clock, and the peak of memory in GiB."""

    processor: float
    clock: float
    memory: float


def measure(body: str, log: Path, scratch: Path) -> Cost:
    """What it costs to run `body` in a fresh process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
    command = [sys.executable, "-c", _MEASURED.format(body=body), str(log), str(scratch)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    figures = done.stdout.split("figures", maxsplit=1)[1].split()
    return Cost(*(float(figure) for figure in figures))


def simulated(path: Path, events: int) -> Path:
    """A log in the REES46 layout."""
    options = ["--layout", "rees46", "--events", str(events), "--days", "28", "--out", str(path)]
    command = [sys.executable, str(ROOT / "manage.py"), "simulate_shoppers", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def main() -> int:
    """Run the sides one after another and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--report-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intent-bench-") as folder:
        log = options.csv or simulated(Path(folder) / "log.csv", options.events)
        print(f"{log.stat().st_size / 2**20:,.0f} MiB of CSV; two threads a side")
        print(f"{'':46}{'processor s':>12}{'clock s':>10}{'peak GiB':>10}")
        costs = {}
        for name, body in SIDES.items():
            costs[name] = measure(body, log, Path(folder))
            print(f"{name:46}{costs[name].processor:12.1f}{costs[name].clock:10.1f}{costs[name].memory:10.2f}")
    table, rows, ours = costs.values()
    ratio = ours.processor / min(table.processor, rows.processor)
    print(f"ours over the faster of the two: {ratio:.2f} (limit {LIMIT:.0f})")
    print(f"on the clock {ours.clock / min(table.clock, rows.clock):.2f}")
    return 0 if ratio <= LIMIT or options.report_only else 1


if __name__ == "__main__":
    sys.exit(main())
