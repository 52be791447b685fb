"""Try dead letters again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_replay`."""

    help = "Record the events of dead letters where that is possible by now; the others stay."

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.tracking.sinks.arriving import replay_dead_letters

        with clear_ending(Steps(self.stdout)):
            done = replay_dead_letters()
        self.stdout.write(
            f"Recorded {done.events:,} events; {done.known:,} were there already, {done.dead:,} dead letters are left."
        )
