"""The model of the week: what it learns from, what it must not know, and that serving says the same."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.conf import bundle_key
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import IntentEnsemble, Tuning, average_precision, dump, load, split
from purchase_intent.learning.customers import Churn, CustomerModels, Spending
from purchase_intent.learning.enough import ENOUGH
from purchase_intent.models import Horizon, ModelVersion, Score, Status, Visitor
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.scoring.live import moment
from purchase_intent.scoring.nightly import night_of, score_visitors
from purchase_intent.sources import EventLog, open_log
from purchase_intent.training.beside import customer_models, nights_apart, visitors_apart
from purchase_intent.training.snapshots import DAY_MS, Snapshots, take_snapshots
from purchase_intent.training.week import LEAST_DAYS, learn_week, slicing_of, week_sample
from tests.integration.training.regulars import BEGIN, ZONE, write_regulars
from tests.trained import QUICK, few_rounds

WEEK_MS = 7 * DAY_MS


class Week(NamedTuple):
    """A log of regulars, its snapshots, and a quick model of it."""

    path: Path
    snapshots: Snapshots
    ensemble: IntentEnsemble


def quiet(step: str) -> None:
    """Tell nobody."""


def opened(path: Path, until: datetime | None = None) -> EventLog:
    return open_log([path], zone=ZONE, until=until)


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    path = tmp_path_factory.mktemp("week") / "regulars.parquet"
    write_regulars(path)
    with opened(path) as log, few_rounds():
        snapshots = take_snapshots(log, progress=quiet)
        ensemble, _ = learn_week(log, seed=1, threads=1, progress=quiet, params=QUICK)
    return Week(path, snapshots, ensemble)


def orders_of(path: Path) -> list[tuple[str, int, float]]:
    found = duckdb.execute(
        f"SELECT user_id, epoch_ms(event_time), revenue FROM '{path}' WHERE event_type = 'purchase'"
    ).fetchall()
    return [(visitor, int(time), float(revenue)) for visitor, time, revenue in found]


def test_every_order_after_a_first_week_falls_into_one_snapshot_of_its_visitor(week: Week) -> None:
    snapshots = week.snapshots
    for visitor in np.unique(snapshots.visitor):
        nights = snapshots.night[snapshots.visitor == visitor]
        # A clock that is put forward or back moves a night by an hour.
        gaps = np.diff(nights)
        assert (np.abs(gaps / DAY_MS - 7 * np.round(gaps / WEEK_MS)) < 0.1).all()


def test_outcomes_are_those_of_the_log(week: Week) -> None:
    orders = orders_of(week.path)
    with opened(week.path) as log:
        names = dict(log.connection.execute("SELECT row, visitor FROM texts").fetchall())
        last = int(log.last.timestamp() * 1000)
    found = week.snapshots
    for at in range(0, len(found), 37):
        own = [(time, revenue) for visitor, time, revenue in orders if visitor == names[int(found.row[at])]]
        night = int(found.night[at])

        def within(days: int, night: int = night, own: list[tuple[int, float]] = own) -> list[float]:
            return [revenue for time, revenue in own if night < time <= night + days * DAY_MS]

        before = [revenue for time, revenue in own if time <= night]
        assert (found.orders[at], found.revenue[at]) == (len(before), sum(before))
        for days, count, total in (
            (28, found.orders_28[at], found.revenue_28[at]),
            (365, found.orders_365[at], found.revenue_365[at]),
        ):
            expected = (len(within(days)), sum(within(days))) if night + days * DAY_MS <= last else (None, None)
            assert (None if np.isnan(count) else count, None if np.isnan(total) else total) == expected
        if night + WEEK_MS <= last:
            assert found.bought[at] == bool(within(7))


def test_a_log_cut_anywhere_gives_the_same_snapshots_and_scores_to_the_bit(week: Week) -> None:
    cut = BEGIN + timedelta(days=200, hours=11)
    with opened(week.path, cut) as log:
        early = take_snapshots(log, progress=quiet)
    whole = week.snapshots.take(week.snapshots.night <= early.night.max())
    assert early.night.max() > (cut - timedelta(days=2)).timestamp() * 1000
    assert len(early) == len(whole) > 1000
    for name in ("values", "night", "visitor", "orders", "revenue"):
        assert getattr(early, name).tobytes() == getattr(whole, name).tobytes()
    assert week.ensemble.predict(early.values).tobytes() == week.ensemble.predict(whole.values).tobytes()


def test_no_outcome_of_a_slice_reaches_into_the_next(week: Week) -> None:
    sample = week_sample(week.snapshots)
    slices = split(sample, slicing_of(sample).fractions)
    windows = [(int(part.times.min()), int(part.times.max())) for part in slices]
    for (_, last), (first, _) in itertools.pairwise(windows):
        assert last + WEEK_MS < first
        assert last + WEEK_MS + 2 * DAY_MS >= first
    nights = [(last - first) // DAY_MS + 1 for first, last in windows]
    assert nights[1] == pytest.approx(nights[2], abs=2)
    assert nights[0] == pytest.approx(3 * nights[1], abs=4)


def test_what_stands_beside_is_judged_on_what_it_was_not_fitted_on(week: Week) -> None:
    seen, days = week.snapshots, 419
    for outcome, window in ((seen.returned, 30), (seen.orders_28, 28)):
        slices = nights_apart(seen, outcome, window, days)
        assert isinstance(slices, tuple)
        fit, later = slices
        assert seen.night[fit].max() + window * DAY_MS <= seen.night[later].min()
        assert seen.night[fit].max() + (window + 2) * DAY_MS > seen.night[later].min()
        assert seen.night[later].max() == seen.night[~np.isnan(outcome)].max()
    slices = visitors_apart(seen, days)
    assert isinstance(slices, tuple)
    fit, later = slices
    assert not np.intersect1d(seen.visitor[fit], seen.visitor[later]).size
    assert (fit | later).sum() == (~np.isnan(seen.orders_365)).sum()
    assert 0.2 < later.sum() / (fit | later).sum() < 0.5


def test_of_too_many_snapshots_the_buyers_stay_and_the_others_stand_for_those_left_out(week: Week) -> None:
    most = len(week.snapshots) // 4
    with opened(week.path) as log:
        few = take_snapshots(log, most=most, progress=quiet)
    everyone = week.snapshots
    assert len(few) < len(everyone)
    assert np.nansum(few.bought) == np.nansum(everyone.bought)
    assert set(np.unique(few.stands_for[few.visitor.argsort()])) == {1.0, few.stands_for.max()}
    assert (few.stands_for[few.bought == 1] == 1).all()
    sample = week_sample(few)
    assert (sample.by_session() == few.stands_for[~np.isnan(few.bought)]).all()
    assert (sample.by_point() == sample.by_session()).all()


def test_it_finds_the_keen(week: Week) -> None:
    judged = week.ensemble.figures["models"]["ensemble"]["session"]
    assert judged["auc"] > 0.8
    assert judged["average_precision"] > 2 * judged["base_rate"]
    beside = week.ensemble.figures["customers"]
    assert beside["churn"]["auc"] > 0.6
    assert beside["revenue"]["top_tenth"] > 0.3
    assert 0.7 < beside["revenue"]["expected"] / beside["revenue"]["happened"] < 1.4
    assert 0.7 < beside["value"]["expected"] / beside["value"]["happened"] < 1.4


def test_the_models_beside_it_come_back_from_the_bundle(week: Week) -> None:
    again = load(dump(week.ensemble, schema="s", facts={}, key=b"k"), schema="s", key=b"k")
    assert again.beside == week.ensemble.beside
    models = CustomerModels.from_json(again.beside["customers"], again.names)
    assert isinstance(models.churn, Churn)
    assert isinstance(models.value, Spending)
    columns = models.columns(week.snapshots.values)
    lost, value = (
        models.churn.predict(columns),
        models.value.predict(columns, week.snapshots.orders, week.snapshots.revenue),
    )
    assert ((lost >= 0) & (lost <= 1)).all()
    known = ~np.isnan(week.snapshots.revenue_365)
    assert average_precision(week.snapshots.revenue_365[known] > 0, value[known]) > 0.8


def test_it_is_tuned_on_nights_whose_outcomes_are_kept_apart(week: Week) -> None:
    with opened(week.path, BEGIN + timedelta(days=150)) as log, few_rounds():
        ensemble, _ = learn_week(
            log, seed=1, threads=1, progress=quiet, params=QUICK, members=("lightgbm",), tuning=Tuning(trials=2)
        )
    found = ensemble.figures["tuning"]
    assert found["members"]["lightgbm"]["tried"] == 2
    assert min(found["sessions"][f"{name}_buying"] for name in ("fit", "choose", "confirm")) >= 5


@pytest.mark.parametrize(
    ("days", "lacking"),
    [
        pytest.param(
            60,
            {
                "churn": "needs 81 days of events, there are 59",
                "revenue": "needs 77 days of events, there are 59",
                "value": "needs 393 days of events, there are 59",
            },
            id="two months",
        )
    ],
)
def test_what_two_months_cannot_say_is_a_reason(days: int, lacking: dict[str, str], week: Week) -> None:
    with opened(week.path, BEGIN + timedelta(days=days)) as log:
        ensemble, _ = learn_week(log, seed=1, threads=1, progress=quiet, params=QUICK, members=("lightgbm",))
    assert ensemble.figures["customers"] == {name: {"lacking": words} for name, words in lacking.items()}
    assert CustomerModels.from_json(ensemble.beside["customers"], ensemble.names).shortfalls() == lacking


def test_the_value_of_a_year_is_not_said_before_a_year_stands_behind_it(week: Week) -> None:
    for days, is_said in ((393, False), (394, True)):
        with opened(week.path, BEGIN + timedelta(days=days)) as log:
            snapshots = take_snapshots(log, most=4000, progress=quiet)
            models, judged = customer_models(log, snapshots)
        assert isinstance(models.value, Spending) == is_said
        lacking = {} if is_said else {"value": "needs 393 days of events, there are 392"}
        assert models.shortfalls() == lacking
        assert ("expected" in judged["value"]) == is_said


@pytest.mark.parametrize(
    ("days", "visitors", "words"),
    [
        pytest.param(20, 200, f"days: 19 days of events, at least {LEAST_DAYS} are needed", id="days"),
        pytest.param(90, 12, r"buyers: \d+ customers at a night bought within the week, at least 30", id="buyers"),
    ],
)
def test_too_little_is_refused_by_name(days: int, visitors: int, words: str, tmp_path: Path) -> None:
    write_regulars(tmp_path / "few.parquet", days=days, visitors=visitors)
    with opened(tmp_path / "few.parquet") as log, pytest.raises(TrainingRefused, match=words):
        learn_week(log, seed=1, threads=1, progress=quiet, params=QUICK)


def test_a_shop_is_told_to_wait_for_as_many_days_as_training_needs() -> None:
    assert ENOUGH["week"]["days"] == LEAST_DAYS


@pytest.mark.django_db
def test_the_command_registers_a_line_of_its_own(week: Week, quick_members: None, bundle_folder: Path) -> None:
    out = StringIO()
    arguments = ["--events", str(week.path), "--zone", ZONE, "--until", "2025-03-20T00:00:00Z"]
    call_command("intent_train", *arguments, "--horizon", "week", stdout=out)
    version = ModelVersion.objects.get()
    assert (version.horizon, version.status) == (Horizon.WEEK, Status.CHAMPION)
    assert not ModelVersion.objects.of(Horizon.SESSION).exists()
    parts = version.figures["breakdown"]["parts"]
    rows = version.figures["slices"]["calibration"]["rows"]
    assert parts["never_ordered"]["rows"] + parts["has_ordered"]["rows"] == rows
    said = out.getvalue()
    assert f"Learnt from {version.sessions:,} customers at a night, {version.buyers:,} of whom bought" in said
    days = version.trained_until - version.trained_from
    assert f"No value: needs 393 days of events, there are {days.days}." in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "place", "codes"),
    [
        pytest.param(73, Status.CHAMPION, ["better"], id="better than one of two months: it serves"),
        pytest.param(
            380, Status.CANDIDATE, ["too_few_buyers"], id="too early for one that knows all but the last weeks"
        ),
        pytest.param(
            120, Status.CHALLENGER, ["no_better"], id="ahead of one of four, perhaps by chance: it challenges"
        ),
    ],
)
def test_a_second_model_goes_through_the_gate(
    days: int, place: Status, codes: list[str], week: Week, quick_members: None, bundle_folder: Path
) -> None:
    arguments = ["intent_train", "--events", str(week.path), "--zone", ZONE, "--horizon", "week"]
    until = BEGIN + timedelta(days=days)
    call_command(*arguments, "--until", until.isoformat(), stdout=StringIO())
    call_command(*arguments, stdout=StringIO())
    first, second = ModelVersion.objects.order_by("pk")
    assert (second.status, second.reasons) == (place, codes), second.verdict
    assert first.status == (Status.ARCHIVED if place is Status.CHAMPION else Status.CHAMPION)
    gate = second.figures["gate"]
    begin = datetime.fromisoformat(gate["from"])
    calibrated = datetime.fromtimestamp(second.figures["slices"]["calibration"]["first"] / 1000, UTC)
    # Neither has learnt from it: after all that the first one knew, and after rounds of the second were chosen.
    assert abs(begin - max(first.trained_until, calibrated)) < timedelta(milliseconds=2)
    snapshots = week.snapshots
    judged = (snapshots.night >= begin.timestamp() * 1000) & ~np.isnan(snapshots.bought)
    # Customers are counted and drawn, not the nights on which they were asked about.
    assert gate["sessions"] == len(np.unique(snapshots.visitor[judged])) < judged.sum()
    assert gate["buyers"] == len(np.unique(snapshots.visitor[judged & (snapshots.bought == 1)]))
    assert ("measures" in gate) == (gate["buyers"] >= 50) == (place is not Status.CANDIDATE)


@pytest.mark.django_db
def test_the_command_refuses_a_short_log_and_keeps_nothing(week: Week, bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match="days: 9 days of events"):
        call_command(
            *("intent_train", "--events", str(week.path), "--zone", ZONE, "--until", "2025-01-16T00:00:00Z"),
            *("--horizon", "week"),
            stdout=StringIO(),
        )
    assert not ModelVersion.objects.exists()
    assert not list(bundle_folder.glob("*"))


@pytest.mark.django_db
def test_the_nightly_task_says_of_a_customer_what_history_says(
    week: Week, bundle_folder: Path, settings: Settings
) -> None:
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "TIME_ZONE": ZONE}
    until = BEGIN + timedelta(days=150, hours=1)  # three o'clock in the morning, in summer
    part = bundle_folder.parent / "part.parquet"
    duckdb.execute(f"COPY (SELECT * FROM '{week.path}' WHERE event_time < '{until.isoformat()}') TO '{part}'")
    call_command("intent_import", "--events", str(part), stdout=StringIO())
    register_week(week.ensemble)
    night = night_of(until)
    assert night == until
    with opened(part) as log:
        history = take_snapshots(log, nights=[night], every=1, progress=quiet)
        names = dict(log.connection.execute("SELECT row, visitor FROM texts").fetchall())
    models = CustomerModels.from_json(week.ensemble.beside["customers"], week.ensemble.names)
    columns = models.columns(history.values)
    assert isinstance(models.churn, Churn)
    assert isinstance(models.revenue, Spending)
    told = zip(
        [names[int(row)] for row in history.row],
        week.ensemble.predict(history.values).tolist(),
        models.churn.predict(columns).tolist(),
        models.revenue.predict(columns, history.orders, history.revenue).tolist(),
        strict=True,
    )
    assert score_visitors(night) == len(history) > 50
    stored = Visitor.objects.filter(scored_at=night, score_days=7)
    assert sorted(stored.values_list("cookie", "score", "churn", "revenue_28d")) == sorted(told)


@pytest.mark.django_db
def test_a_night_of_the_past_asked_about_again_gives_what_was_said_then(
    week: Week, bundle_folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "TIME_ZONE": ZONE}
    night = BEGIN + timedelta(days=150, hours=1)
    nights, end = [night - timedelta(days=ago) for ago in range(13, -1, -1)], night + timedelta(days=7, hours=20)
    part = bundle_folder.parent / "part.parquet"
    duckdb.execute(f"COPY (SELECT * FROM '{week.path}' WHERE event_time < '{end.isoformat()}') TO '{part}'")
    call_command("intent_import", "--events", str(part), stdout=StringIO())
    version = register_week(week.ensemble)
    with opened(part) as log:
        asked = take_snapshots(log, nights=nights, progress=quiet)
        names = dict(log.connection.execute("SELECT row, visitor FROM texts").fetchall())
    keys = dict(Visitor.objects.values_list("cookie", "pk"))
    chances = week.ensemble.predict(asked.values).tolist()
    chances[0] = 1 - chances[0]  # as if it had been said otherwise
    Score.objects.bulk_create(
        Score(visitor_id=keys[names[row]], model=version, probability=chance, moment=moment(at))
        for row, at, chance in list(zip(asked.row.tolist(), asked.night.tolist(), chances, strict=True))[:-1]
    )
    monkeypatch.setattr(timezone, "now", lambda: end)
    out, report = StringIO(), bundle_folder.parent / "report.json"
    given = ("--horizon", "week", "--days", "21", "--report", str(report))
    call_command("intent_backtest", *given, stdout=out)
    found = json.loads(report.read_text())
    customers, buyers = (len(np.unique(part)) for part in (asked.visitor, asked.visitor[asked.bought == 1]))
    assert (found["points"], found["customers"], found["buyers"]) == (len(asked), customers, buyers)
    assert found["all"]["positives"] == asked.bought.sum() > 5
    assert found["recorded"]["points"] == found["same_version"]["scores"] == len(asked) - 1
    assert found["same_version"]["same"] == len(asked) - 2
    said = out.getvalue()
    assert f"{len(asked)} nights of {customers} customers, {buyers} of which bought within the week." in said
    out = StringIO()
    call_command("intent_backtest", "--horizon", "week", "--days", "7", stdout=out)
    assert "Nothing to score: no night lies a week back." in out.getvalue()


def register_week(ensemble: IntentEnsemble) -> ModelVersion:
    """Make an ensemble the champion of the week."""
    data = dump(ensemble, schema=schema_hash(), facts={}, key=bundle_key())
    version = ModelVersion.objects.create(
        horizon=Horizon.WEEK,
        trained_from="2025-01-06T00:00:00Z",
        trained_until="2026-02-01T00:00:00Z",
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(data),
        bundle_sha256=hashlib.sha256(data).hexdigest(),
        figures={"customers": ensemble.figures["customers"]},
    )
    version.promote()
    return version
