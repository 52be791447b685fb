"""Catalogue facts: against a plain count, and unmoved by whatever happens on the day or later."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purchase_intent.features.hit import FACTS
from purchase_intent.sources import open_log
from tests.unit.sources.writing import all_hits, write_csv

ZONE = ZoneInfo("Europe/Berlin")
SPRING = datetime(2024, 3, 20, tzinfo=UTC)  # the clocks change on March 31
AUTUMN = datetime(2024, 10, 10, tzinfo=UTC)  # and on October 27
KINDS = ("view", "view", "view", "cart", "purchase", "page_view")


def random_log(seed: int, start: datetime, count: int = 250, days: int = 40) -> list[dict[str, Any]]:
    """Events at random moments, many near local midnight, a session being a handful of one visitor's."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        moment = start + timedelta(seconds=chance.randrange(days * 86_400))
        if chance.random() < 0.5:
            near = moment.astimezone(ZONE).replace(hour=chance.choice((23, 0)), minute=chance.choice((0, 30, 59)))
            moment = near.astimezone(UTC)
        kind, visitor = chance.choice(KINDS), chance.randrange(20)
        has_product = kind != "page_view" and chance.random() < 0.9
        product = chance.randrange(4)
        rows.append(
            {
                "event_id": f"e{i}",
                "event_time": moment.isoformat(),
                "event_type": kind,
                "user_id": f"u{visitor}",
                "user_session": f"s{visitor}-{chance.randrange(3)}",
                "product_id": f"p{product}" if has_product else "",
                "category_code": f"c{product % 2}" if has_product and chance.random() < 0.8 else "",
                "brand": f"b{product % 3}" if has_product else "",
                "price": f"{chance.randrange(5000) / 100:.2f}" if has_product else "",
                "order_id": f"o{i}" if kind == "purchase" else "",
            }
        )
    return rows


def local_day(row: dict[str, Any]) -> date:
    return datetime.fromisoformat(row["event_time"]).astimezone(ZONE).date()


def counted(rows: list[dict[str, Any]]) -> list[dict[str, int]]:
    """The facts of every row, counted the slow way from their definition."""
    began: dict[str, date] = {}
    bought: dict[str, date] = {}
    for row in sorted(rows, key=lambda row: datetime.fromisoformat(row["event_time"])):
        began.setdefault(row["user_session"], local_day(row))
        if row["event_type"] == "purchase":
            bought.setdefault(row["user_session"], local_day(row))
    measures = {"view": "views", "cart": "carts", "purchase": "buys"}
    found = []
    for row in rows:
        day = local_day(row)
        window = {day - timedelta(days=back) for back in range(1, 29)}
        facts: dict[str, int] = defaultdict(int)
        facts["shop_sessions"] = sum(started in window for started in began.values())
        facts["shop_buyers"] = sum(paid in window for paid in bought.values())
        for other in rows:
            if local_day(other) not in window or other["event_type"] not in measures:
                continue
            measure = measures[other["event_type"]]
            facts[f"shop_{measure}"] += 1
            for subject, column in (("product", "product_id"), ("category", "category_code"), ("brand", "brand")):
                if row[column] and row[column] == other[column]:
                    facts[f"{subject}_{measure}"] += 1
            if measure == "views" and row["category_code"] and row["category_code"] == other["category_code"]:
                facts["category_cents"] += round(float(other["price"]) * 100)
        found.append({name: facts[name] for name in FACTS})
    return found


def facts_of(path: Path, rows: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    """The facts the log gives each event, by event id."""
    write_csv(path, rows)
    with open_log([path], zone="Europe/Berlin", threads=1) as log:
        hits, places = all_hits(log)
        columns = np.stack([hits[name] for name in FACTS], axis=1)
        return {rows[place]["event_id"]: tuple(column) for place, column in zip(places, columns.tolist(), strict=True)}


@pytest.mark.parametrize(("seed", "start"), [(1, SPRING), (2, AUTUMN)], ids=["spring", "autumn"])
def test_facts_are_the_counts_of_28_days(tmp_path: Path, seed: int, start: datetime) -> None:
    rows = random_log(seed, start)
    expected = {row["event_id"]: tuple(facts.values()) for row, facts in zip(rows, counted(rows), strict=True)}
    assert facts_of(tmp_path / "log.csv", rows) == expected


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1_000),
    start=st.sampled_from([SPRING, AUTUMN]),
    cut=st.integers(5, 39),
    how=st.sampled_from(["remove", "rename", "reprice", "invent"]),
)
def test_nothing_of_a_day_or_later_enters_its_facts(
    tmp_path: Path, seed: int, start: datetime, cut: int, how: str
) -> None:
    rows = random_log(seed, start, count=120)
    day = start.date() + timedelta(days=cut)
    earlier = [row for row in rows if local_day(row) <= day]
    changed = []
    for row in rows:
        if local_day(row) < day or how == "invent":
            changed.append(row)
        elif how == "rename":
            changed.append(row | {"event_type": "purchase", "order_id": "o", "product_id": "p1", "user_id": "u1"})
        elif how == "reprice":
            changed.append(row | {"price": "99", "category_code": "c1"})
    if how == "invent":
        changed += [row | {"event_id": f"new{i}", "event_time": moved(row, day)} for i, row in enumerate(rows) if i % 2]
    before, after = facts_of(tmp_path / "a.csv", rows), facts_of(tmp_path / "b.csv", changed)
    same = {"remove": [row for row in earlier if local_day(row) < day]}.get(how, earlier)
    kept = [row for row in same if how == "invent" or local_day(row) < day]
    assert {row["event_id"]: after[row["event_id"]] for row in kept} == {
        row["event_id"]: before[row["event_id"]] for row in kept
    }


def moved(row: dict[str, Any], day: date) -> str:
    """A moment on or after `day`, local."""
    when = datetime.fromisoformat(row["event_time"])
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
    return max(when, midnight + timedelta(seconds=when.second)).isoformat()


def test_only_accepted_rows_count(tmp_path: Path) -> None:
    rows = random_log(3, SPRING, count=60)
    doubled = rows + [row | {"price": "-1", "event_id": f"bad{i}"} for i, row in enumerate(rows)] + rows
    assert facts_of(tmp_path / "b.csv", doubled) == facts_of(tmp_path / "a.csv", rows)
