"""Close the sessions that have ended, and compare past scores with what happened."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Score


class Command(BaseCommand):
    """`intent_close`."""

    help = "Record how the sessions that have ended did so, judge their scores, and print scores against outcomes."

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.scoring.closing import close_sessions

        steps = Steps(self.stdout)
        with clear_ending(steps):
            done = close_sessions(timezone.now(), progress=steps)
            rows = [
                (title, row)
                for title, scores in (
                    ("session", Score.objects.shown().filter(visitor=None)),
                    ("visitor", Score.objects.shown().filter(session=None)),
                )
                for row in scores.calibration()
            ]
        self.stdout.write(
            f"Closed {done.bought + done.left:,} sessions, {done.bought:,} of which bought; "
            f"judged {done.judged:,} scores."
        )
        if done.busy:
            self.stdout.write(f"{done.busy:,} sessions went on meanwhile and were left alone.")
        for title, row in rows:
            self.stdout.write(
                f"{title} scores from {row.low:.2f} to {row.high:.2f}: {row.count:,}, "
                f"mean {row.mean:.3f}, came true {row.came_true:.3f}"
            )
