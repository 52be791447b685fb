"""Train a model from event logs, or from the events in the database, and register it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from purchase_intent.conf import config
from purchase_intent.exceptions import TrainingBusy
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.tuned import tuning_report
from purchase_intent.models import Horizon, ModelVersion


class Command(BaseCommand):
    """`intent_train [--events PATH...] [--until T] [--seed N] [--trials N] [--budget MINUTES] [--study PATH] ...`."""

    help = "Train a model from event logs, or from the stored events, and register it with its figures and bundle."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--events", nargs="+", type=Path, help="logs, read as one; the stored events if left out")
        parser.add_argument("--until", type=_moment, help="learn from nothing at or after this time (UTC if no zone)")
        parser.add_argument("--seed", type=int, default=0, help="the same seed and log give the same model")
        parser.add_argument("--trials", type=int, default=0, help="tuning trials for each member; 0 keeps the defaults")
        parser.add_argument(
            "--budget", type=float, help="minutes that the trials may take in all; no limit if left out"
        )
        parser.add_argument(
            "--study", type=Path, help="file that keeps the finished trials, to go on from after a stop"
        )
        parser.add_argument("--force", action="store_true", help="register even what a check refuses, marked so")
        parser.add_argument("--alone", action="store_true", help="end at once where another such training is under way")
        parser.add_argument("--run", type=int, help="the training run on record that this is, as the tasks name it")
        parser.add_argument("--zone", help="the shop's time zone, where the log is another shop's")
        parser.add_argument("--rejects", type=Path, help="CSV file for the rows that were rejected, with the reason")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.learning import Tuning
        from purchase_intent.training.reported import reported
        from purchase_intent.training.run import Request, train

        steps = Steps(self.stdout)
        with clear_ending(steps):
            ModelVersion.objects.exists()  # a database without tables is found out before the work
            request = Request(
                events=options["events"],
                zone=self._zone(options),
                until=options["until"],
                seed=options["seed"],
                tuning=Tuning(trials=options["trials"], budget=options["budget"], study=options["study"]),
                force=options["force"],
                rejects=options["rejects"],
            )
            with reported(Horizon.SESSION, run=options["run"]) as done, self._held(options["alone"]):
                version = done.version = train(request, progress=steps)
        self._report(version)

    @contextmanager
    def _held(self, one_at_a_time: bool) -> Iterator[None]:  # noqa: FBT001 (the option as it came)
        from purchase_intent.training.alone import BUSY, alone

        if not one_at_a_time:
            yield
            return
        try:
            with alone():
                yield
        except TrainingBusy as busy:
            raise CommandError(busy.message, returncode=BUSY) from busy

    def _zone(self, options: dict[str, Any]) -> str:
        from purchase_intent.sources import layout_zone

        if options["zone"] is not None:
            return str(options["zone"])
        known = layout_zone(options["events"]) if options["events"] else None
        return known or str(config().time_zone)

    def _report(self, version: ModelVersion) -> None:
        log = version.figures["log"]
        rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(log["rejected"].items())) or "none"
        judged = version.figures["models"]["ensemble"]
        self.stdout.write(
            f"Read {log['rows']:,} rows; rejected: {rejected}.\n"
            f"Learnt from {version.sessions:,} sessions, {version.buyers:,} of which bought.\n"
            f"{tuning_report(version.figures)}"
            f"On its last slice, before the final fit: AUC {judged['session']['auc']:.3f} and average precision "
            f"{judged['session']['average_precision']:.3f} per session, {judged['point']['auc']:.3f} and "
            f"{judged['point']['average_precision']:.3f} per point.\n"
            f"The gate: {version.figures['gate']['outcome']}. {version.verdict}"
        )
        self.stdout.write(self.style.SUCCESS(f"Registered as model {version.pk}, {version.get_status_display()}."))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time: write it as 2026-04-06T00:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
