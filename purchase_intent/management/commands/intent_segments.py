"""Tell now who belongs to which segment, as the nightly task does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_segments [KEY …] [--install]`."""

    help = "Tell who belongs to the segments that are switched on, and measure them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("keys", nargs="*", metavar="KEY", help="only the segments with these keys")
        parser.add_argument(
            "--install", action="store_true", help="make the built-in segments that are not there, and end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.segments.active import read_active
        from purchase_intent.segments.filling import fill_segments
        from purchase_intent.segments.presets import install

        if options["install"]:
            made = install(now=timezone.now())
            self.stdout.write(f"Made {len(made)} built-in segments{': ' if made else '.'}{', '.join(made)}")
            return
        known = read_active()
        if unknown := sorted(set(options["keys"]) - known.keys()):
            there = ", ".join(sorted(known)) or "none"
            raise CommandError(f"No active segment has the key {', '.join(unknown)}. There are: {there}.")
        steps = Steps(self.stdout)
        with clear_ending(steps):
            done = fill_segments(timezone.now(), keys=options["keys"] or None, progress=steps)
        for key, size in done.sizes.items():
            self.stdout.write(f"  {key:32} {size:>9,}")
        self.stdout.write(
            self.style.SUCCESS(
                f"Looked at {done.looked_at:,} shoppers: {done.entered:,} memberships begun, {done.left:,} ended."
            )
        )
