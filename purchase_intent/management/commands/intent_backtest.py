"""Score past sessions again by a named model, against what happened and what was said."""

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
from purchase_intent.models import ModelVersion

SHOWN = ("rows", "positives", "auc", "average_precision", "log_loss", "ece")


class Command(BaseCommand):
    """`intent_backtest --model champion|latest|ID [--days 28] [--most 2000] [--report JSON]`."""

    help = "Score the decision points of past sessions by a model, and say how that differs from what was said then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", default="champion", help="champion, latest or the number of a version")
        parser.add_argument("--days", type=int, default=28, help="sessions that ended in the last so many days")
        parser.add_argument("--most", type=int, default=2_000, help="sessions at most; of more, evenly spread ones")
        parser.add_argument("--report", type=Path, help="JSON file for the figures")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.sources import check_targets
        from purchase_intent.watch.backtest import backtest

        steps, now = Steps(self.stdout), timezone.now()
        with clear_ending(steps):
            for name in ("days", "most"):
                if options[name] < 1:
                    raise TrainingRefused(f"--{name}: {options[name]} is not positive; give 1 or more")
            check_targets({"--report": options["report"]}, [])
            version = ModelVersion.objects.named(options["model"])
            steps("living through past sessions")
            found = backtest(version, now - timedelta(days=options["days"]), now, most=options["most"])
            if options["report"] is not None:
                self._write(options["report"], found)
        self._say(found)

    def _write(self, path: Path, found: dict[str, Any]) -> None:
        from purchase_intent.sources import drafts

        with drafts(path) as (draft,):
            draft.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def _say(self, found: dict[str, Any]) -> None:
        self.stdout.write(
            f"Model {found['model']}: {found['points']:,} decision points of {found['sessions']:,} sessions, "
            f"{found['buyers']:,} of which bought."
        )
        if not found["points"]:
            self.stdout.write("Nothing to score: no session has ended in that time.")
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
