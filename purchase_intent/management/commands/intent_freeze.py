"""Freeze the catalogue days that are over, and make the months of events ahead."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_freeze`."""

    help = "Count the catalogue days that are over and not counted yet, and make the next two months of events."

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.models.partitions import make_partitions
        from purchase_intent.scoring.freezing import days_due, freeze_day
        from purchase_intent.tasks import AHEAD

        steps, now, done = Steps(self.stdout), timezone.now(), []
        with clear_ending(steps):
            for day in days_due(now):
                steps(f"counting catalogue days: {day}")
                freeze_day(day, now=now)
                done.append(day)
            made = make_partitions(now, now + AHEAD)
        self.stdout.write(f"Froze {len(done):,} catalogue days; made {len(made):,} months of events.")
