"""`manage.py load_catalogue`: the shop's shelves from the catalogue's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo_shop.refusals import Refused
from demo_shop.stocking import CATALOGUE, load


class Command(BaseCommand):
    help = "Fill the shop from the catalogue's file. Safe to run again: stock is left as it is, unless told otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="path", type=Path, default=CATALOGUE, help="the file, as JSON")
        parser.add_argument("--restock", action="store_true", help="set the stock back to what the demo begins with")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = load(options["path"], restock=options["restock"])
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(
            f"{done.products:,} products in {done.categories:,} categories of {done.departments:,} departments"
        )
