"""Record the events that took a detour to the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_drain`."""

    help = "Record the events that were spooled while the database was gone, each once."

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.tracking.sinks.arriving import replay_spool

        with clear_ending(Steps(self.stdout)):
            done = replay_spool()
        self.stdout.write(
            f"Recorded {done.events:,} events; {done.known:,} were there already, "
            f"{done.dead:,} lines became dead letters."
        )
