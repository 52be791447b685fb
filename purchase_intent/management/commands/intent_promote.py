"""Have a model version serve, or have it scored beside the one that serves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.who import at_the_command_line
from purchase_intent.models import Horizon, ModelVersion


class Command(BaseCommand):
    """`intent_promote VERSION [--challenger] [--horizon session|week]`."""

    help = "Make a model version the champion of its horizon, or with --challenger the one that is scored beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="its number, or: latest, challenger")
        parser.add_argument("--challenger", action="store_true", help="score it beside the champion; it does not serve")
        parser.add_argument(
            "--horizon", choices=Horizon.values, default=Horizon.SESSION.value, help="which, where it is not a number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.training.promotion import challenge, promote, said

        with clear_ending(Steps(self.stdout)):
            version = ModelVersion.objects.called(options["version"], horizon=options["horizon"])
            act = challenge if options["challenger"] else promote
            change = act(version, who=at_the_command_line("intent_promote"))
        self.stdout.write(self.style.SUCCESS(said(change)))
