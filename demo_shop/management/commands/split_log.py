"""`manage.py split_log`: an event log, cut in time into one to train on and one to be judged on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo_shop.splitting import split_log
from purchase_intent.exceptions import IntentError


class Command(BaseCommand):
    help = "Cut a Parquet log in two at a moment, every session whole on the side where it starts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--events", required=True, type=Path, help="the log, a Parquet file")
        parser.add_argument("--at", required=True, help="the moment, with its zone: 2026-04-06T00:00:00+02:00")
        parser.add_argument("--before", required=True, type=Path, help="file for the sessions that start before it")
        parser.add_argument("--after", required=True, type=Path, help="file for the others")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            halves = split_log(
                options["events"], at=_moment(options["at"]), before=options["before"], after=options["after"]
            )
        except IntentError as error:
            raise CommandError(error.message) from None
        for half in halves:
            self.stdout.write(f"{half.events:,} events of {half.sessions:,} sessions in {half.path}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at {text!r} is no time: write it as 2026-04-06T00:00:00+02:00") from None
    if moment.tzinfo is None:
        raise CommandError(f"--at {text!r} has no zone: write +02:00 or Z after it") from None
    return moment
