"""The card of a model version (after Mitchell and others 2019): what it is, how well it does, what it must not do.

It is drawn from the record and the bundle whenever it is asked for, so it tells the standing of that moment. All that
was measured in training is in the bundle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from purchase_intent.exceptions import IntentError
from purchase_intent.features.schema import FEATURES
from purchase_intent.insights.breakdown import parts_table
from purchase_intent.insights.calibration import NARROW, CalibrationChart, calibration_chart
from purchase_intent.insights.figures import Table, numbers, tables, within
from purchase_intent.insights.gate import gate_tables
from purchase_intent.insights.limits import known_limits, measured_limits, uses
from purchase_intent.insights.made_of import beside_table, features_table, live_words, members_table, slices_table
from purchase_intent.insights.words import clock, exact_per_cent
from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import Horizon, ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle

__all__ = ["Card", "Section", "card_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a card: paragraphs, then lists, facts, a chart and tables; what is empty is not drawn."""

    key: str
    title: str
    said: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    chart: CalibrationChart | None = None
    narrow_chart: CalibrationChart | None = None
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The whole card: its title and headline, a fault with its remedy or "", and the sections in their order."""

    title: str
    headline: str
    made: str
    fault: str
    sections: tuple[Section, ...]


def card_of(version: ModelVersion, *, now: datetime) -> Card:
    """The card as of `now`; where the bundle cannot be read, of what is on record, and with the reason."""
    model: IntentEnsemble | None = None
    fault = ""
    if version.is_usable:
        try:
            model = load_bundle(version)
        except IntentError as refused:
            fault = f"{refused.message}."
    return Card(
        title=f"Model {version.pk}",
        headline=f"{_standing(version)} Purchases in {version.get_horizon_display()}.",
        made=clock(now),
        fault=fault,
        sections=tuple(_sections(version, model, now)),
    )


def _sections(version: ModelVersion, model: IntentEnsemble | None, now: datetime) -> Iterator[Section]:
    fits, never = uses(version)
    yield _short(version)
    yield Section(key="for", title="What it is for", points=tuple(fits))
    yield Section(key="not-for", title="What it must not be used for", points=tuple(never))
    yield Section(
        key="weak",
        title="Where it is weak",
        said=() if measured_limits(version, now=now) else ("Nothing was measured, because no figures are stored.",),
        points=tuple(measured_limits(version, now=now)),
    )
    yield Section(key="limits", title="What its figures do not tell", points=tuple(known_limits(version)))
    yield _learnt_from(version)
    yield _figures(version)
    yield _holds(version)
    yield Section(
        key="gate",
        title="What the gate said",
        said=(version.verdict or "Nothing.",),
        tables=tuple(gate_tables(version)),
    )
    yield Section(key="live", title="Since it is on record", said=tuple(live_words(version)))
    yield _made_of(version, model)


def _standing(version: ModelVersion) -> str:
    words = {
        Status.CHAMPION: "Serves.",
        Status.CHALLENGER: "Does not serve: the challenger, scored beside the champion.",
        Status.REFUSED: "Refused: it can never serve.",
    }
    return words.get(Status(version.status), f"Does not serve: {version.get_status_display()}.")


def _short(version: ModelVersion) -> Section:
    judged = numbers(version.figures, "models", "ensemble", "session")
    what = _subjects(version)
    window = f"{clock(version.trained_from)} to {clock(version.trained_until)}"
    said = [f"Learnt from {version.sessions:,} {what}, {version.buyers:,} of which bought, from {window}."]
    if {"auc", "average_precision", "base_rate"} <= judged.keys():
        said.append(
            f"On the latest slice of that time, each of the {what} weighed once: AUC {judged['auc']:.3f}; average "
            f"precision {judged['average_precision']:.3f}, where chance has {judged['base_rate']:.3f}."
        )
    said.append(version.verdict or "The checks said nothing.")
    return Section(key="short", title="In short", said=tuple(said))


def _learnt_from(version: ModelVersion) -> Section:
    log = numbers(version.figures, "log")
    rejected = numbers(version.figures, "log", "rejected")
    facts = [
        ("First event", clock(version.trained_from)),
        ("Data end", clock(version.trained_until)),
        ("Events", f"{version.events:,}"),
        ("Cases", f"{version.sessions:,} {_subjects(version)}, {version.buyers:,} of which bought"),
        *((name.capitalize(), f"{log[name]:,.0f}") for name in ("visitors", "orders") if name in log),
        ("Rows rejected", ", ".join(f"{count:,.0f} {name}" for name, count in sorted(rejected.items())) or "none"),
        ("Time zone", str(within(version.figures).get("zone", "-"))),
        ("Layout", str(within(version.figures).get("layout", "-"))),
        ("Features", f"{len(FEATURES)}, schema {version.schema_hash}"),
        ("Seed", str(version.seed)),
        ("Trained", clock(version.created_at)),
        ("Bundle", version.bundle or "none"),
        ("SHA-256", version.bundle_sha256 or "-"),
    ]
    slices = slices_table(version, _subjects(version))
    return Section(
        key="data",
        title="What it learnt from",
        facts=tuple(facts),
        tables=(slices,) if slices is not None else (),
        note="Each slice is entirely later than the one before. At the end it learnt from all three once more.",
    )


def _figures(version: ModelVersion) -> Section:
    judged = tables(version)
    parts = parts_table(version, _subjects(version))
    shown = tuple(table for table in judged if table.caption.startswith("Each"))
    missing = "No figures, because none were stored with this version."
    return Section(
        key="figures",
        title="How well it predicts",
        said=() if shown else (missing,),
        tables=(*shown, parts) if parts is not None else shown,
        note="" if parts is not None else "Part by part it was not measured: it was trained before that was kept.",
    )


def _holds(version: ModelVersion) -> Section:
    stored = within(version.figures, "breakdown").get("deciles")
    rows = [row for row in stored or () if numbers(row).keys() >= {"said", "bought", "low", "high", "sessions"}]
    told = tuple(
        (
            exact_per_cent(row["said"]),
            exact_per_cent(row["bought"]),
            f"{exact_per_cent(row['low'])} to {exact_per_cent(row['high'])}",
            f"{row['sessions']:,.0f}",
        )
        for row in rows
    )
    heads = ("said", "bought", "95% between", _subjects(version))
    return Section(
        key="holds",
        title="Do its probabilities hold?",
        said=() if rows else ("Not kept for this version: train again.",),
        chart=calibration_chart(rows),
        narrow_chart=calibration_chart(rows, NARROW),
        tables=(Table("What was said against what happened, by tenths of the latest slice", heads, told),)
        if told
        else (),
    )


def _made_of(version: ModelVersion, model: IntentEnsemble | None) -> Section:
    rest = tuple(table for table in tables(version) if not table.caption.startswith("Each"))
    made = [members_table(version), *rest, beside_table(version), features_table(model)]
    calibration = numbers(version.figures, "calibration")
    said: tuple[str, ...] = ()
    if {"slope", "intercept"} <= calibration.keys():
        line = f"times {calibration['slope']:.3f} {calibration['intercept']:+.3f}"
        said = (f"The members' log-odds, weighed and added, {line}: its calibration.",)
    return Section(
        key="made", title="What it is made of", said=said, tables=tuple(table for table in made if table is not None)
    )


def _subjects(version: ModelVersion) -> str:
    return "customers at a night" if version.horizon == Horizon.WEEK else "sessions"
