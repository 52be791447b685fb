"""Put a model version away: a challenger is no longer scored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.who import at_the_command_line
from purchase_intent.models import Horizon, ModelVersion


class Command(BaseCommand):
    """`intent_archive VERSION [--horizon session|week]`."""

    help = "Archive a candidate or a challenger; it can be promoted again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="its number, or: latest, challenger")
        parser.add_argument(
            "--horizon", choices=Horizon.values, default=Horizon.SESSION.value, help="which, where it is not a number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.training.promotion import archive, said

        with clear_ending(Steps(self.stdout)):
            version = ModelVersion.objects.called(options["version"], horizon=options["horizon"])
            change = archive(version, who=at_the_command_line("intent_archive"))
        self.stdout.write(self.style.SUCCESS(said(change)))
