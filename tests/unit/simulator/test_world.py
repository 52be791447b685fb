"""The log as a whole: the same from the same seed, in order, and as a shop's log is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from demo_shop.simulator import Plan, hidden_intent, simulate
from demo_shop.simulator.rhythm import HOUR_MS
from demo_shop.simulator.rows import KINDS, VISITS, Table
from purchase_intent.events.names import EventName, Page
from tests.unit.simulator.conftest import PLAN, Log, run

SMALL = Plan(start=date(2026, 3, 25), days=8, sessions_per_day=150, seed=9)


def by_session(rows: Table) -> list[Table]:
    ordered = rows[np.lexsort((np.arange(len(rows)), rows["session"]))]
    return np.split(ordered, np.flatnonzero(np.diff(ordered["session"])) + 1)


def holding(log: Log, *kinds: EventName) -> set[int]:
    return set(log.rows["session"][np.isin(log.rows["kind"], kinds)].tolist())


def test_the_same_seed_gives_the_same_log_and_another_another() -> None:
    assert np.array_equal(run(SMALL).rows, run(SMALL).rows)
    assert not np.array_equal(run(SMALL).rows[:500], run(replace(SMALL, seed=10)).rows[:500])


@pytest.mark.parametrize("hours", [1, 7, 24, 500])
def test_the_slices_do_not_matter(hours: int) -> None:
    whole, cut = run(SMALL), run(replace(SMALL, hours_per_slice=hours))
    assert np.array_equal(whole.rows, cut.rows)
    assert np.array_equal(np.sort(whole.truths, order="session"), np.sort(cut.truths, order="session"))


def test_a_shorter_log_is_the_beginning_of_a_longer_one() -> None:
    longer = run(replace(SMALL, days=12)).rows
    shorter = run(SMALL).rows
    end = SMALL.end_hour * HOUR_MS
    assert np.array_equal(shorter[shorter["time"] < end], longer[longer["time"] < end])


@pytest.mark.parametrize("events", [1, 999, 4000])
def test_a_limit_by_events_is_exact(events: int) -> None:
    limited = run(Plan(start=SMALL.start, days=5, events=events, seed=9)).rows
    assert len(limited) == events
    assert (np.diff(limited["time"]) >= 0).all()


def test_a_layout_of_fewer_kinds_counts_its_own_rows() -> None:
    plan = Plan(start=SMALL.start, days=5, events=2000, seed=9, layout="rees46")
    rows = run(plan).rows
    assert len(rows) == 2000
    assert set(rows["kind"].tolist()) <= set(KINDS["rees46"])
    everything = run(replace(plan, layout="generic", events=None, sessions_per_day=20.0)).rows
    some = run(replace(plan, events=None, sessions_per_day=20.0)).rows
    assert np.array_equal(some, everything[np.isin(everything["kind"], KINDS["rees46"])])


@pytest.mark.parametrize("layout", ["generic", "rees46"])
@pytest.mark.parametrize("start", [date(2026, 2, 1), date(2026, 11, 1)])
def test_the_events_fill_about_the_days(layout: str, start: date) -> None:
    rows = run(Plan(start=start, days=14, events=12_000, seed=4, layout=layout)).rows
    days = (rows["time"][-1] - rows["time"][0]) / HOUR_MS / 24
    assert days == pytest.approx(14, rel=0.12)


def test_events_are_in_order_and_inside_the_period(log: Log) -> None:
    assert (np.diff(log.rows["time"]) >= 0).all()
    assert log.rows["time"][0] >= PLAN.first_hour * HOUR_MS
    assert log.truths["start"].max() < PLAN.end_hour * HOUR_MS
    assert len(np.unique(log.truths["session"])) == len(log.truths)
    assert set(log.truths["session"].tolist()) == set(log.rows["session"].tolist())


def test_no_pause_splits_a_session(log: Log) -> None:
    gaps = np.concatenate([np.diff(rows["time"]) for rows in by_session(log.rows)])
    assert gaps.min() >= 0
    assert gaps.max() < 30 * 60_000


# The bands are those of docs/simulator.md, where each source stands.
@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("conversion", 0.015, 0.032),
        ("cart", 0.06, 0.13),
        ("abandonment", 0.66, 0.80),
        ("checkout completion", 0.54, 0.80),
        ("bounce", 0.30, 0.55),
        ("mobile", 0.52, 0.66),
        ("returning", 0.14, 0.50),
        ("bots", 0.001, 0.01),
    ],
)
def test_rates_lie_where_shops_report_theirs(log: Log, what: str, low: float, high: float) -> None:
    people = log.people()
    sessions, first, events = np.unique(people["session"], return_index=True, return_counts=True)
    cart, bought = holding(log, EventName.CART), holding(log, EventName.PURCHASE)
    checkout = holding(log, EventName.CHECKOUT)
    found = {
        "conversion": len(bought) / len(sessions),
        "cart": len(cart) / len(sessions),
        "abandonment": 1 - len(bought & cart) / len(cart),
        "checkout completion": len(bought & checkout) / len(checkout),
        "bounce": float(np.mean(events == 1)),
        "mobile": float(np.mean(people["device"][first] == 0)),
        "returning": float(np.mean(sessions % VISITS > 0)),
        "bots": float(log.truths["bot"].mean()),
    }
    assert low < found[what] < high


def test_devices_and_channels_convert_as_reported(log: Log) -> None:
    people = log.people()
    _, first = np.unique(people["session"], return_index=True)
    bought = np.isin(people["session"][first], list(holding(log, EventName.PURCHASE)))
    device, channel = people["device"][first], people["channel"][first]
    by_device = [bought[device == index].mean() for index in range(2)]
    assert by_device[1] > 1.4 * by_device[0]  # desktop over mobile
    by_channel = np.array([bought[channel == index].mean() for index in range(7)])
    assert int(by_channel.argmax()) == 5  # e-mail
    assert int(by_channel.argmin()) == 3  # social


def test_the_evening_is_busiest_by_the_shops_clock(log: Log) -> None:
    zone = ZoneInfo(PLAN.zone)
    start = [datetime.fromtimestamp(time / 1000, UTC).astimezone(zone) for time in log.truths["start"].tolist()]
    working = np.bincount([moment.hour for moment in start if moment.weekday() < 5], minlength=24)
    assert int(working.argmax()) in (19, 20, 21)
    assert working[1:6].max() < working[20] / 4
    days = np.bincount([moment.weekday() for moment in start], minlength=7)
    assert int(days.argmin()) in (4, 5, 6)


def test_every_purchase_follows_the_steps_of_the_checkout(log: Log) -> None:
    for rows in by_session(log.rows[np.isin(log.rows["session"], list(holding(log, EventName.PURCHASE)))]):
        first = int(np.flatnonzero(rows["kind"] == EventName.PURCHASE)[0])
        pages = rows["page"][:first].tolist()
        assert pages.index(Page.CHECKOUT) < pages.index(Page.PAYMENT) < pages.index(Page.REVIEW)


def test_an_orders_revenue_is_the_sum_of_its_lines(log: Log) -> None:
    lines = log.rows[log.rows["kind"] == EventName.PURCHASE]
    orders, inverse, count = np.unique(lines["order"], return_inverse=True, return_counts=True)
    assert 0 not in orders
    assert (count > 1).mean() > 0.1
    total = np.bincount(inverse, np.round(lines["price"] * 100) * lines["quantity"])
    np.testing.assert_array_equal(np.round(lines["revenue"] * 100), total[inverse])
    for name in ("time", "session", "user"):
        assert len(np.unique(lines[["order", name]])) == len(orders)
    assert (log.rows["revenue"][log.rows["kind"] != EventName.PURCHASE] == 0).all()


def test_what_is_bought_was_put_into_the_cart(log: Log) -> None:
    held: dict[int, set[int]] = {}
    missing = 0
    lines = log.rows[np.isin(log.rows["kind"], (EventName.CART, EventName.PURCHASE))]
    for row in lines:
        cart = held.setdefault(int(row["session"]) // VISITS, set())
        if row["kind"] == EventName.CART:
            cart.add(int(row["product"]))
        else:
            missing += int(row["product"]) not in cart
    # Carts filled before the log begins are the exception.
    assert missing / (lines["kind"] == EventName.PURCHASE).sum() < 0.05


def test_bots_are_fast_even_and_never_buy(log: Log) -> None:
    bots = by_session(log.rows[log.rows["bot"]])
    assert len(bots) > 20
    for rows in bots:
        assert set(rows["kind"].tolist()) <= {EventName.VIEW, EventName.PAGE_VIEW}
        gaps = np.diff(rows["time"])
        assert gaps.max() < 3_100
        assert gaps.max() - gaps.min() <= 1
        assert len(rows) >= 15


def test_some_carts_left_behind_are_taken_up_again(log: Log) -> None:
    carted, bought = holding(log, EventName.CART), holding(log, EventName.PURCHASE)
    earlier = {session // VISITS for session in carted - bought}
    resumed = [session for session in bought - carted if session // VISITS in earlier]
    assert len(resumed) > 10


def test_the_returning_see_their_products_again(log: Log) -> None:
    views = log.people()[log.people()["kind"] == EventName.VIEW]
    visitors = views["session"] // VISITS
    pairs = np.unique(np.stack([visitors, views["product"].astype(np.int64), views["session"]]), axis=1)
    _, times = np.unique(pairs[:2], axis=1, return_counts=True)
    assert (times > 1).sum() > 200


def test_a_login_carries_the_known_visitor_from_then_on(log: Log) -> None:
    logins = 0
    for rows in by_session(log.people()):
        visitor = int(rows["session"][0]) // VISITS
        assert (rows["user"] // 4 == visitor).all()
        known = rows["user"] % 4 == 0
        assert (np.diff(known.astype(int)) >= 0).all(), "nobody becomes a stranger within a session"
        changes = np.flatnonzero(np.diff(rows["user"])) + 1
        assert rows["kind"][changes].tolist() == [EventName.LOGIN] * len(changes)
        logins += len(changes)
    assert logins == (log.rows["kind"] == EventName.LOGIN).sum() > 100


def test_some_visitors_come_with_two_devices(log: Log) -> None:
    cookies = np.unique(log.people()["user"][log.people()["user"] % 4 > 0])
    _, count = np.unique(cookies // 4, return_counts=True)
    assert (count == 2).sum() > 50


def test_hidden_intent_drives_purchases_but_does_not_give_them_away(log: Log) -> None:
    people = log.truths[~log.truths["bot"]]
    auc = roc_auc_score(people["bought"], people["desire"])
    assert 0.70 < auc < 0.92
    assert abs(np.corrcoef(people["energy"], people["desire"])[0, 1]) < 0.05
    bought = set(people["session"][people["bought"]].tolist())
    assert bought == holding(log, EventName.PURCHASE)


def test_the_truth_can_be_had_alone() -> None:
    truths = np.concatenate(list(hidden_intent(SMALL)))
    assert np.array_equal(truths, run(SMALL).truths)


def test_progress_is_told_slice_by_slice() -> None:
    untils = [piece.until for piece in simulate(replace(SMALL, hours_per_slice=48))]
    assert len(untils) == 5
    assert untils[:-1] == [(SMALL.first_hour + 48 * day) * HOUR_MS for day in (1, 2, 3)] + [SMALL.end_hour * HOUR_MS]
