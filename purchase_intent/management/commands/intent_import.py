"""Load event logs into the database, ready for live scoring to go on from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from purchase_intent.conf import config
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Event


class Command(BaseCommand):
    """`intent_import --events PATH... [--zone NAME] [--rejects FILE]`."""

    help = "Load event logs (Parquet or CSV) into the database: events, sessions, visitors, orders, catalogue days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--events", nargs="+", type=Path, required=True, help="the logs, read as one")
        parser.add_argument("--zone", help="the shop's time zone, where it is not the one configured")
        parser.add_argument("--rejects", type=Path, help="CSV file for the rows that were rejected, with the reason")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.sources import check_targets

        steps = Steps(self.stdout)
        with clear_ending(steps):
            Event.objects.exists()  # a database without tables is found out before the work
            check_targets({"--rejects": options["rejects"]}, options["events"])
            zone = options["zone"] or str(config().time_zone)
            try:
                self._import(options["events"], zone, options["rejects"], steps)
            except DatabaseError as error:
                raise CommandError(
                    f"The database refused: {str(error).strip().splitlines()[0]}. What was loaded stays; put it right "
                    "and run the command again, it goes on from there."
                ) from error

    def _import(self, paths: list[Path], zone: str, rejects: Path | None, steps: Steps) -> None:
        from purchase_intent.models.planner import look_at_sizes
        from purchase_intent.sources import open_log
        from purchase_intent.sources.days import freeze_days
        from purchase_intent.sources.load import load
        from purchase_intent.sources.orm import stored_events
        from purchase_intent.sources.refold import refold

        steps("reading the log")
        with open_log(paths, zone=zone, rejects=rejects) as log:
            rows = log.rows
            loaded = load(log, paths, rejects=rejects, progress=steps)
        with stored_events(zone=zone, progress=steps) as stored:
            folded = refold(stored, progress=steps)
            steps("counting catalogue days")
            days = freeze_days(stored, before=datetime.now(ZoneInfo(zone)).date())
        look_at_sizes()
        steps.done()
        rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(loaded.rejected.items())) or "none"
        added = ", ".join(f"{count:,} {kind}" for kind, count in loaded.added.items())
        self.stdout.write(
            f"Read {rows:,} rows; rejected: {rejected}.\n"
            f"Added {added}.\n"
            f"Folded into {folded.sessions:,} sessions and {folded.visitors:,} visitors; "
            f"counted {days:,} rows of catalogue days."
        )
        if folded.busy:
            self.stdout.write(f"{folded.busy:,} rows had gone on meanwhile and were left alone: run the command again.")
        self.stdout.write(self.style.SUCCESS("The database holds the log."))
