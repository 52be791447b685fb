"""Score now what the background tasks score: the open sessions, or the recent visitors."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_score [--visitors]`."""

    help = "Score the open sessions that have gone on since their latest score, or the recent visitors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--visitors", action="store_true", help="the visitors of the last 90 days, once a night")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.scoring.batch import score_sessions
        from purchase_intent.scoring.judging import judge_weeks
        from purchase_intent.scoring.nightly import night_of, score_visitors

        steps, now = Steps(self.stdout), timezone.now()
        with clear_ending(steps):
            if options["visitors"]:
                judge_weeks(night_of(now), progress=steps)
                kept, what = score_visitors(night_of(now), progress=steps), "visitors"
            else:
                kept, what = score_sessions(now, progress=steps), "open sessions"
        self.stdout.write(self.style.SUCCESS(f"Scored {kept:,} {what}."))
