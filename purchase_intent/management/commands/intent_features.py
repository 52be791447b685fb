"""Build the cases of a large log in parts, in this process or by Celery's workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.logs import moment, zone_of
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_features --out FOLDER [--events PATH...] [--partitions N] [--workers] ...`."""

    help = "Cut a log into partitions and build the cases to learn from in each; intent_train --features learns them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="a new folder, which every worker sees")
        parser.add_argument(
            "--events", nargs="+", type=Path, help="logs, read as one; left out, what is missing in --out is built"
        )
        parser.add_argument("--partitions", type=int, default=8, help="how many parts; the cases are the same")
        parser.add_argument("--workers", action="store_true", help="send each part to Celery's workers, and end")
        parser.add_argument("--seed", type=int, default=0, help="the same seed and log give the same cases")
        parser.add_argument("--until", type=moment, help="read nothing at or after this time (UTC if no zone)")
        parser.add_argument("--zone", help="the shop's time zone, where the log is another shop's")
        parser.add_argument("--rejects", type=Path, help="CSV file for the rows that were rejected, with the reason")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent import tasks
        from purchase_intent.training.partitions import build_features, unbuilt

        steps, folder = Steps(self.stdout), options["out"].absolute()
        if options["workers"] and not hasattr(tasks.build_features, "delay"):
            raise CommandError("--workers needs Celery: pip install 'django-purchase-intent[celery]'")
        with clear_ending(steps):
            if options["events"]:
                self._partition(folder, options, steps)
            parts = unbuilt(folder)
            cases = 0
            for done, number in enumerate(parts, start=1):
                steps(f"building features: part {done:,} of {len(parts):,}")
                if options["workers"]:
                    tasks.build_features.delay(str(folder), number)  # type: ignore[attr-defined]
                else:
                    cases += build_features(folder, number)
        found = "sent to the workers" if options["workers"] else f"built, {cases:,} cases"
        self.stdout.write(
            self.style.SUCCESS(f"{len(parts):,} partitions {found}. Next: intent_train --features {folder}")
        )

    def _partition(self, folder: Path, options: dict[str, Any], steps: Steps) -> None:
        from purchase_intent.sources import check_targets, read_log
        from purchase_intent.training.partitions import partition_log

        check_targets({"--rejects": options["rejects"]}, options["events"])
        steps("reading the log")
        zone = zone_of(options["zone"], options["events"])
        reading = {"until": options["until"], "rejects": options["rejects"]}
        with read_log(options["events"], zone=zone, **reading) as log:
            partition_log(log, folder, options["partitions"], seed=options["seed"], progress=steps)
            rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(log.rejected.items())) or "none"
            self.stdout.write(f"Read {log.rows:,} rows; rejected: {rejected}.")
