"""`manage.py simulate_shoppers`: shoppers with hidden intent, as a log in a file or live in the running shop."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from demo_shop.simulator import Figures, Plan, SimulationRefused, write_log
from demo_shop.simulator.plan import EVENTS_PER_SESSION
from demo_shop.walking import Crowd, ShopGone, Tally, WalkRefused, check_shop, own_root, visits, walk

_LOG_ONLY = MappingProxyType(
    {
        "layout": "generic",
        "events": None,
        "days": 56,
        "sessions_per_day": None,
        "start": "2026-03-02",
        "zone": "Europe/Berlin",
    }
)
_LIVE_ONLY = MappingProxyType({"sessions": 50, "speed": 60.0})
_LIVE_DAYS = 7
_MOST_SESSIONS = 100_000


class Command(BaseCommand):
    help = "Simulate shoppers with hidden intent: write their event log, or let them walk the running demo shop."

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--out", type=Path, help="file to write: .parquet, .csv or .csv.gz")
        where.add_argument("--live", metavar="URL", help="the running shop to walk, such as http://127.0.0.1:8000")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other shoppers; default 1")
        log = parser.add_argument_group("with --out")
        log.add_argument("--layout", choices=sorted(EVENTS_PER_SESSION), help="default: generic")
        log.add_argument("--events", type=int, help="write exactly this many events, over about --days")
        log.add_argument("--days", type=int, help="length of the period, default 56")
        log.add_argument("--sessions-per-day", type=float, help="the shop's size; default 200, or as --events needs")
        log.add_argument("--start", help="first local day, YYYY-MM-DD; default 2026-03-02")
        log.add_argument("--zone", help="the shop's time zone; default Europe/Berlin")
        live = parser.add_argument_group("with --live")
        live.add_argument("--sessions", type=int, help="how many visits, default 50")
        live.add_argument("--speed", type=float, help="times as fast as real shoppers, 0 without pauses; default 60")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["live"] is None:
                self.stdout.write(_log_summary(self._write(_chosen(options, _LOG_ONLY, _LIVE_ONLY)), options["out"]))
            else:
                self.stdout.write(_walk_summary(self._walk(_chosen(options, _LIVE_ONLY, _LOG_ONLY))))
        except (SimulationRefused, WalkRefused, ShopGone) as refusal:
            raise CommandError(refusal.message) from None
        except OSError as error:
            raise CommandError(f"out {options['out']}: {error.strerror or error}") from None

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

    def _walk(self, options: dict[str, Any]) -> Tally:
        sessions, speed = options["sessions"], options["speed"]
        if not 1 <= sessions <= _MOST_SESSIONS:
            raise WalkRefused(f"sessions {sessions}: choose a whole number from 1 to {_MOST_SESSIONS:,}")
        if not 0 <= speed <= 1e6:
            raise WalkRefused(f"speed {speed:g}: choose a number from 0 (no pauses) to 1,000,000")
        root = own_root(options["live"])
        plan = Plan(start=_day(str(_LOG_ONLY["start"])), days=_LIVE_DAYS, seed=options["seed"])
        check_shop(root)
        silent = options["verbosity"] == 0 or None
        with tqdm(total=sessions, disable=silent, unit=" sessions") as bar:
            return walk(Crowd(root, plan.seed), visits(plan, sessions), speed=speed, progress=bar.update)


def _chosen(options: dict[str, Any], own: MappingProxyType[str, Any], other: MappingProxyType[str, Any]) -> Any:
    """The options with defaults filled in; one that belongs to the other use of the command is refused."""
    for name in other:
        if options[name] is not None:
            goes_with = "--out" if other is _LOG_ONLY else "--live"
            raise WalkRefused(f"--{name.replace('_', '-')} goes with {goes_with}: leave it out")
    return {**options, **{name: default for name, default in own.items() if options[name] is None}}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SimulationRefused(f"start {text!r}: give a day as YYYY-MM-DD", start=text) from None


def _log_summary(figures: Figures, out: Path) -> str:
    return _lines(
        {
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
    )


def _walk_summary(tally: Tally) -> str:
    figures = {name: f"{getattr(tally, name):,}" for name in ("sessions", "requests", "accounts", "orders")}
    figures |= {"sign-ins": f"{tally.sign_ins:,}", "sign-outs": f"{tally.sign_outs:,}", "added": f"{tally.added:,}"}
    refused = {f"refused: {why}": f"{count:,}" for why, count in tally.refusals.most_common()}
    return _lines(figures | (refused or {"refused": "nothing"}))


def _lines(figures: dict[str, str]) -> str:
    width = max(map(len, figures)) + 2
    return "\n".join(f"{name:{max(width, 13)}}{value}" for name, value in figures.items())
