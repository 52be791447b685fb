"""One night's watch at 1,000,000 events on PostgreSQL: what each part takes.

    python benchmarks/bench_watch.py [--sessions 150000] [--events-each 7] [--report-only]

Starts a PostgreSQL server of its own and fills it as bench_desk does, with one judged score a session. Each part is
done once; times are wall-clock seconds, the database's included. Ends with 1 where all together are above the limit.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

LIMIT = 120.0
"""Seconds of one night's watch, without the drift of features, which takes a model."""

SCORES = """
    INSERT INTO purchase_intent_score (session_id, model_id, probability, band, moment, came_true)
    SELECT id, %s, (0.5 + id %% 997) / 4000.0, band, last_at, (id * 7919) %% 4000 < id %% 997
    FROM purchase_intent_session WHERE closed_at IS NOT NULL
"""


def main() -> int:
    """Fill, watch, print; 0 where the parts together keep the limit."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--sessions", type=int, default=150_000)
    asked.add_argument("--events-each", type=int, default=7)
    asked.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    options = asked.parse_args()
    import django

    django.setup()
    from tests.postgres import running_server, use_database

    with running_server() as server:
        use_database(server.url)
        from django.db import connection

        try:
            total = measured(options.sessions, options.events_each)
        finally:
            connection.close()
    print(f"{'together':32}{total:8.1f} s{total / LIMIT:8.2f} of the limit of {LIMIT:.0f} s")
    return 0 if options.report_only or total <= LIMIT else 1


def measured(sessions: int, each: int) -> float:
    """The seconds of all parts, each printed."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from benchmarks.bench_desk import fill
    from purchase_intent.learning import Calibration
    from purchase_intent.watch.performance import live_figures
    from purchase_intent.watch.quality import check_events
    from purchase_intent.watch.recalibrating import propose
    from purchase_intent.watch.replay import chosen_sessions, replayed
    from purchase_intent.watch.scores import judged_scores
    from purchase_intent.watch.watching import day_over
    from tests.integration.desk.things import version

    fill(sessions, each)
    with connection.cursor() as cursor:
        cursor.execute(SCORES, [version().pk])
        cursor.execute("VACUUM ANALYZE purchase_intent_score")
    now, kept = timezone.now(), {}

    def part(name: str, call: Callable[[], Any]) -> float:
        started = time.perf_counter()
        kept[name] = call()
        taken = time.perf_counter() - started
        print(f"{name:32}{taken:8.1f} s")
        return taken

    return sum(
        [
            part("checking the events of a day", lambda: check_events(day_over(now))),
            part("choosing 2,000 sessions of 7 days", lambda: chosen_sessions(now - timedelta(days=7), now)),
            part("living through them", lambda: replayed(kept["choosing 2,000 sessions of 7 days"])),
            part("reading 28 days of scores", lambda: judged_scores(now - timedelta(days=28), now)),
            part("judging them", lambda: live_figures(kept["reading 28 days of scores"], seed=1)),
            part(
                "proposing a correction",
                lambda: propose(kept["reading 28 days of scores"], present=Calibration(), seed=1),
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
