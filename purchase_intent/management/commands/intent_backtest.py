"""Score past sessions, or customers, again by a named model, against what happened and what was said."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Horizon, ModelVersion

MOST = {Horizon.SESSION: 2_000, Horizon.WEEK: 20_000}
SHOWN = ("rows", "positives", "auc", "average_precision", "log_loss", "ece")


class Command(BaseCommand):
    """`intent_backtest --model champion|latest|ID [--horizon week] [--days 28] [--most 2000] [--report JSON]`."""

    help = "Score past sessions or customers again by a model, and say how that differs from what was said then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", default="champion", help="champion, latest or the number of a version")
        parser.add_argument("--horizon", choices=Horizon.values, default=Horizon.SESSION, help="sessions, or customers")
        parser.add_argument("--days", type=int, default=28, help="what ended, or the nights, of the last so many days")
        parser.add_argument("--most", type=int, help="at most so many of them: 2000 sessions, 20000 customers by night")
        parser.add_argument("--report", type=Path, help="JSON file for the figures")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.sources import check_targets
        from purchase_intent.training.nightly_backtest import backtest_nights
        from purchase_intent.watch.backtest import backtest

        steps, now = Steps(self.stdout), timezone.now()
        with clear_ending(steps):
            is_week = options["horizon"] == Horizon.WEEK
            most = MOST[options["horizon"]] if options["most"] is None else options["most"]
            for name, value in (("days", options["days"]), ("most", most)):
                if value < 1:
                    raise TrainingRefused(f"--{name}: {value} is not positive; give 1 or more")
            check_targets({"--report": options["report"]}, [])
            version = ModelVersion.objects.named(options["model"], horizon=options["horizon"])
            begin = now - timedelta(days=options["days"])
            if is_week:
                found = backtest_nights(version, begin, now, most=most, progress=steps)
            else:
                steps("living through past sessions")
                found = backtest(version, begin, now, most=most)
            if options["report"] is not None:
                self._write(options["report"], found)
        self._say(found, is_week=is_week)

    def _write(self, path: Path, found: dict[str, Any]) -> None:
        from purchase_intent.sources import drafts

        with drafts(path) as (draft,):
            draft.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def _say(self, found: dict[str, Any], *, is_week: bool) -> None:
        asked, of = ("nights", "customers") if is_week else ("decision points", "sessions")
        self.stdout.write(
            f"Model {found['model']}: {found['points']:,} {asked} of {found[of]:,} {of}, "
            f"{found['buyers']:,} of which bought{' within the week' if is_week else ''}."
        )
        if not found["points"]:
            nothing = "no night lies a week back" if is_week else "no session has ended in that time"
            self.stdout.write(f"Nothing to score: {nothing}.")
            return
        recorded = found["recorded"]
        for title, row in (
            ("all, by this model", found["all"]),
            ("with a recorded score, as said", recorded["said"]),
            ("the same, by this model", recorded["again"]),
        ):
            cells = (f"{name} {row[name]:,.4g}" for name in SHOWN if name in row)
            self.stdout.write(f"{title:32} {', '.join(cells)}")
        same = found["same_version"]
        if same.get("scores"):
            self.stdout.write(
                f"Of {same['scores']:,} scores that it gave itself {same['same']:,} come out the same; the largest "
                f"difference is {same['largest_difference']:.4g} in log-odds."
            )
        else:
            self.stdout.write("None of the recorded scores is its own.")
