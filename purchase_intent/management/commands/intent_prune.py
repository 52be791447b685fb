"""Delete what is older than the shop keeps."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from purchase_intent.conf import config
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_prune`."""

    help = "Delete events, scores, sessions, visitors and reports older than RETENTION_DAYS, and bundles of no model."

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.scoring.pruning import prune

        steps = Steps(self.stdout)
        with clear_ending(steps):
            days = config().retention_days
            gone = prune(timezone.now(), progress=steps)
        self.stdout.write(
            f"Deleted what is older than {days:,} days: {gone.events:,} events, {gone.scores:,} scores, "
            f"{gone.sessions:,} sessions, {gone.visitors:,} visitors, {gone.reports:,} reports."
        )
        if gone.bundles:
            self.stdout.write(f"Bundles that no model version names, removed: {gone.bundles:,}.")
