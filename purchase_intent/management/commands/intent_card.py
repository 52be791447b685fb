"""Write the card of a model version as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps
from purchase_intent.models import Horizon, ModelVersion


class Command(BaseCommand):
    """`intent_card VERSION [--out FILE] [--horizon session|week]`."""

    help = "Write a model's card: data, figures, calibration, the gate's verdict, limits; one HTML file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="its number, or: champion, challenger, latest")
        parser.add_argument("--out", type=Path, help="the file; model-NUMBER-HORIZON.html here where it is left out")
        parser.add_argument(
            "--horizon", choices=Horizon.values, default=Horizon.SESSION.value, help="which, where it is not a number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from purchase_intent.insights.card import card_of
        from purchase_intent.insights.filed import file_name, filed
        from purchase_intent.sources import check_targets, drafts

        with clear_ending(Steps(self.stdout)):
            version = ModelVersion.objects.called(options["version"], horizon=options["horizon"])
            out = options["out"] or Path(file_name(version))
            check_targets({"--out": out}, [])
            card = card_of(version, now=timezone.now())
            with drafts(out) as (draft,):
                draft.write_text(filed(card), encoding="utf-8")
        if card.fault:
            self.stderr.write(f"{card.fault} The card is of what is on record.")
        self.stdout.write(self.style.SUCCESS(f"Wrote the card of model {version.pk} to {out}."))
