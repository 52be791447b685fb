"""Judge a model on a later log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps

LEARNT = 0.01
"""Share of events from the time of the training that sessions across the boundary may well make up."""


class Command(BaseCommand):
    """`intent_evaluate --history PATH --events PATH --model champion|latest|ID --out PARQUET --report JSON`."""

    help = "Score every event of a later log and report how well the scores hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--history", nargs="*", type=Path, default=[], help="logs from before the events")
        parser.add_argument("--events", nargs="+", type=Path, required=True, help="logs to score, read as one")
        parser.add_argument("--model", default="champion", help="champion, latest or the number of a version")
        parser.add_argument("--out", type=Path, required=True, help="Parquet file for event_id and score")
        parser.add_argument("--report", type=Path, required=True, help="JSON file for the figures")
        parser.add_argument("--zone", help="the shop's time zone; the one of the training unless given")
        parser.add_argument("--rejects", type=Path, help="CSV file for the rows that were rejected, with the reason")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.training.evaluate import Evaluation, evaluate
        from purchase_intent.training.report import format_comparison, format_figures

        steps = Steps(self.stdout)
        names = ("history", "events", "model", "out", "report", "zone", "rejects")
        with clear_ending(steps):
            found = evaluate(Evaluation(**{name: options[name] for name in names}), progress=steps)
        if found["share_already_learnt"] > LEARNT:
            self.stderr.write(
                self.style.WARNING(
                    f"{found['share_already_learnt']:.0%} of these events lie before {found['trained_until']}, in the "
                    "time the model learnt from: the figures flatter it."
                )
            )
        self.stdout.write("\n" + format_figures(found["figures"]))
        self.stdout.write("\n" + format_comparison(found["models"]))
        self.stdout.write(
            self.style.SUCCESS(
                f"\n{found['predictions']:,} predictions in {options['out']}, the report in {options['report']}."
            )
        )
