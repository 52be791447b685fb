"""Have the champion before serve again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.management.who import at_the_command_line
from purchase_intent.models import Horizon


class Command(BaseCommand):
    """`intent_rollback [--horizon session|week]`."""

    help = "Have the last champion before the present one serve again, whose bundle is sound."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--horizon", choices=Horizon.values, default=Horizon.SESSION.value, help="which one")

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.training.promotion import roll_back, said

        with clear_ending(Steps(self.stdout)):
            change = roll_back(options["horizon"], who=at_the_command_line("intent_rollback"))
        if change.why:
            self.stdout.write(change.why)
        self.stdout.write(self.style.SUCCESS(said(change)))
