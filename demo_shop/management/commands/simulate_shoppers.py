"""`manage.py simulate_shoppers`: a log of shoppers with hidden intent, in the generic or the REES46 layout."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from demo_shop.simulator import Figures, Plan, SimulationRefused, write_log
from demo_shop.simulator.plan import EVENTS_PER_SESSION


class Command(BaseCommand):
    help = "Simulate shoppers with hidden intent and write their event log. The same options write the same file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, type=Path, help="file to write: .parquet, .csv or .csv.gz")
        parser.add_argument("--layout", default="generic", choices=sorted(EVENTS_PER_SESSION), help="default: generic")
        parser.add_argument("--events", type=int, help="write exactly this many events, over about --days")
        parser.add_argument("--days", type=int, default=56, help="length of the period, default 56")
        parser.add_argument("--sessions-per-day", type=float, help="the shop's size; default 200, or as --events needs")
        parser.add_argument("--start", default="2026-03-02", help="first local day, YYYY-MM-DD; default 2026-03-02")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other shoppers; default 1")
        parser.add_argument("--zone", default="Europe/Berlin", help="the shop's time zone; default Europe/Berlin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = self._write(options)
        except SimulationRefused as refusal:
            raise CommandError(refusal.message) from None
        except OSError as error:
            raise CommandError(f"out {options['out']}: {error.strerror or error}") from None
        self.stdout.write(_summary(figures, options["out"]))

    def _write(self, options: dict[str, Any]) -> Figures:
        plan = Plan(
            start=_day(options["start"]),
            layout=options["layout"],
            days=options["days"],
            events=options["events"],
            sessions_per_day=options["sessions_per_day"],
            seed=options["seed"],
            zone=options["zone"],
        )
        silent = options["verbosity"] == 0 or None  # None: only where a terminal shows it
        with tqdm(total=1.0, disable=silent, bar_format="{l_bar}{bar}| {elapsed}<{remaining}") as bar:
            return write_log(plan, options["out"], progress=lambda share: bar.update(share - bar.n))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SimulationRefused(f"start {text!r}: give a day as YYYY-MM-DD", start=text) from None


def _summary(figures: Figures, out: Path) -> str:
    lines = {
        "events": f"{figures.events:,}",
        "sessions": f"{figures.sessions:,}",
        "visitors": f"{figures.visitors:,}",
        "with a cart": f"{figures.carting_sessions:,} sessions",
        "buying": f"{figures.buying_sessions:,} sessions ({figures.conversion:.2%})",
        "orders": f"{figures.orders:,}",
        "revenue": f"{figures.revenue_cents / 100:,.2f}",
        "bots": f"{figures.bots:,} sessions",
        "written to": str(out),
    }
    return "\n".join(f"{name:13}{value}" for name, value in lines.items())
