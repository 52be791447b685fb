"""Train a model from event logs, or from the events in the database, and register it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.held import held
from purchase_intent.management.logs import moment, zone_of
from purchase_intent.management.progress import Steps
from purchase_intent.management.tuned import tuning_report
from purchase_intent.models import Horizon, ModelVersion


class Command(BaseCommand):
    """`intent_train [--events PATH...] [--until T] [--horizon H] [--trials N] [--budget MINUTES] ...`."""

    help = "Train a model from event logs, or from the stored events, and register it with its figures and bundle."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--events", nargs="+", type=Path, help="logs, read as one; the stored events if left out")
        parser.add_argument("--features", type=Path, help="a folder of intent_features, in place of the events")
        parser.add_argument("--until", type=moment, help="learn from nothing at or after this time (UTC if no zone)")
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
        parser.add_argument(
            "--horizon",
            choices=Horizon.values,
            default=Horizon.SESSION.value,
            help="whether this session buys, or whether a visitor buys within a week",
        )
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
                features=self._features(options),
                until=options["until"],
                seed=options["seed"],
                tuning=Tuning(trials=options["trials"], budget=options["budget"], study=options["study"]),
                force=options["force"],
                rejects=options["rejects"],
                horizon=Horizon(options["horizon"]),
            )
            with reported(request.horizon, run=options["run"]) as done, held(options["alone"]):
                version = done.version = train(request, progress=steps)
        self._report(version)

    def _features(self, options: dict[str, Any]) -> Path | None:
        features: Path | None = options["features"]
        for name in ("events", "until", "rejects", "zone"):
            if features is not None and options[name] is not None:
                raise CommandError(f"--{name} goes with a log, not with --features: give it to intent_features")
        return features

    def _zone(self, options: dict[str, Any]) -> str:
        return zone_of(options["zone"], options["events"])

    def _report(self, version: ModelVersion) -> None:
        log = version.figures["log"]
        rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(log["rejected"].items())) or "none"
        self.stdout.write(f"Read {log['rows']:,} rows; rejected: {rejected}.")
        for line in _said_of_week(version) if version.horizon == Horizon.WEEK else _said_of_session(version):
            self.stdout.write(line)
        cases = "customers at a night" if version.horizon == Horizon.WEEK else "sessions"
        gate = f"The gate: {version.figures['gate']['outcome']}. {version.verdict}"
        self.stdout.write(tuning_report(version.figures, of=cases) + gate)
        self.stdout.write(self.style.SUCCESS(f"Registered as model {version.pk}, {version.get_status_display()}."))


def _said_of_session(version: ModelVersion) -> list[str]:
    judged = version.figures["models"]["ensemble"]
    return [
        f"Learnt from {version.sessions:,} sessions, {version.buyers:,} of which bought.",
        f"On its last slice, before the final fit, per session: {_ranked(judged['session'])}.",
        f"The same per point: {_ranked(judged['point'])}.",
    ]


def _said_of_week(version: ModelVersion) -> list[str]:
    judged, beside = version.figures["models"]["ensemble"]["session"], version.figures["customers"]
    return [
        f"Learnt from {version.sessions:,} customers at a night, {version.buyers:,} of whom bought within the week.",
        f"On its last slice, before the final fit: {_ranked(judged)}, where chance has {judged['base_rate']:.4f}.",
        *(f"No {name}: {found['lacking']}." for name, found in beside.items() if "lacking" in found),
    ]


def _ranked(judged: dict[str, float]) -> str:
    return f"AUC {judged['auc']:.3f} and average precision {judged['average_precision']:.3f}"
