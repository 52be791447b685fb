"""Record the events that wait for it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from purchase_intent.conf import config
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


class Command(BaseCommand):
    """`intent_drain`."""

    help = "Record the events that wait in the stream or in the spool, each once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--follow", action="store_true", help="go on with what comes, until stopped")

    def handle(self, *args: Any, follow: bool, **options: Any) -> None:
        from purchase_intent.tracking.sinks.draining import drain, faults

        steps = Steps(self.stdout)
        if follow and not config().stream:
            raise CommandError("There is no stream to follow: name its server in PURCHASE_INTENT['STREAM'].")
        with clear_ending(steps):
            try:
                done = drain(follow=follow, progress=lambda so_far: steps(f"recording: {so_far.events:,} events"))
            except faults() as error:
                raise CommandError(f"The stream's server does not answer ({error}): see that it runs.") from error
        self.stdout.write(
            f"Recorded {done.events:,} events; {done.known:,} were there already, "
            f"{done.dead:,} lines became dead letters."
        )
