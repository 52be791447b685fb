"""What each group of features, and each choice of the training scheme, earns on later data.

    python benchmarks/bench_ablation.py [--log FILE --cut T] [--zone NAME] [--only WORD...] [--out FILE]
                                        [--seed 1] [--threads 2] [--draws 200]

Without --log it takes the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
Every variant learns anew from the sessions before the cut: one XGBoost and one LightGBM, quicker learners than the
ensemble's by a third of the rounds at three times the rate, stopped on the last 15% of those sessions and averaged in
log-odds. That stands for the ensemble at a tenth of its time; its figures are lower by what the ensemble adds. A group
is taken away from everything, and added alone to the plain counters. Gains are of average precision, with 95% of a
paired bootstrap over the later sessions. The interval holds the chance of who came, not that of learning anew: for that
there is a yardstick, the same with other seeds. It is a measurement: it ends with 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402

from benchmarks.later_slice import Floats, add_options, compared, halves, told  # noqa: E402
from purchase_intent.features.schema import FEATURES  # noqa: E402
from purchase_intent.learning import MEMBERS, Sample, Table, case_weights  # noqa: E402
from purchase_intent.learning.encoding import TargetEncoder  # noqa: E402
from purchase_intent.learning.paired import Difference  # noqa: E402
from purchase_intent.learning.splits import session_spans  # noqa: E402

COUNTERS: Final = "plain counters"
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    COUNTERS: (
        "duration", "events", "moments", "interactions", "views", "searches", "carts", "removals", "home_visits",
        "listing_visits", "sign_in_visits", "review_visits", "information_visits", "products", "categories", "repeats",
        "purchases", "signed_in",
    ),
    "time of day and week": ("hour", "weekday", "weekend"),
    "who and whence: channel, country, device, landing": ("channel", "country", "device", "landing"),
    "order of pages and stages": ("kind", "page", "trail", "stage", "checkout_step"),
    "dwell and pauses": (
        "gap", "pace", "longest_gap", "listing_dwell", "product_dwell", "basket_dwell", "checkout_dwell", "home_dwell",
        "sign_in_dwell",
    ),
    "visits to the basket, and times since": (
        "basket_visits", "basket_share", "since_first_basket", "since_last_basket", "since_first_cart",
        "since_last_cart", "start_to_cart", "since_last_checkout", "since_sign_in",
    ),
    "what is in the basket": ("cart_units", "cart_value", "cart_max_price", "checkout_value"),
    "prices": ("price", "mean_price", "max_price", "min_price", "total_price", "price_to_mean"),
    "price against the category": ("price_to_category",),
    "category and brand": ("category", "brand"),
    "catalogue facts from earlier days": (
        "product_popularity", "product_cart_rate", "product_buy_rate", "category_cart_rate", "mean_buy_rate",
    ),
    "returning behaviour: how often, how long, when": (
        "past_sessions", "past_events", "past_products", "past_purchases", "past_conversion", "past_mean_events",
        "past_mean_moments", "past_mean_products", "past_mean_duration", "past_mean_price", "past_last_moments",
        "past_last_duration", "since_last_session", "since_past_purchase", "since_first_seen", "since_second_session",
        "since_fourth_session", "product_known",
    ),
    "returning behaviour: stages reached, baskets left": (
        "past_cart_sessions", "past_basket_sessions", "past_checkout_sessions", "past_left", "past_left_units",
        "past_left_value", "past_last_stage", "past_best_stage", "since_left",
    ),
    "shift of the base rate": ("shop_conversion",),
}  # fmt: skip
"""Every feature, in one group."""
QUICK: Final = {
    "xgboost": {"learning_rate": 0.15, "early_stopping": 15},
    "lightgbm": {"learning_rate": 0.12, "early_stopping": 20},
}
VALIDATION: Final = 0.15


@dataclass(frozen=True, slots=True)
class Variant:
    """What to learn from: columns, how a session's moments are weighed, how categories are read, and by what chance."""

    columns: frozenset[str]
    power: float = -0.5
    encoded: bool = True
    another: int = 0


EVERYTHING: Final = Variant(frozenset(name for group in GROUPS.values() for name in group))


def variants() -> Iterator[tuple[str, str, str, Variant]]:
    """Kind, name, the variant it is held against, and the variant."""
    plain = Variant(frozenset(GROUPS[COUNTERS]))
    yield "counters", COUNTERS, "everything", plain
    for name, group in GROUPS.items():
        if name != COUNTERS:
            yield "without", name, "everything", replace(EVERYTHING, columns=EVERYTHING.columns - set(group))
            yield "alone", name, COUNTERS, replace(plain, columns=plain.columns | set(group))
    past = {name for group in GROUPS if group.startswith("returning") for name in GROUPS[group]}
    yield (
        "without",
        "returning behaviour, all of it",
        "everything",
        replace(EVERYTHING, columns=EVERYTHING.columns - past),
    )
    yield "alone", "returning behaviour, all of it", COUNTERS, replace(plain, columns=plain.columns | past)
    for another in (1, 2):
        yield "yardstick", f"nothing, another seed ({another})", "everything", replace(EVERYTHING, another=another)
    yield "scheme", "each moment weighs alike", "everything", replace(EVERYTHING, power=0.0)
    yield "scheme", "each session weighs alike", "everything", replace(EVERYTHING, power=-1.0)
    yield "scheme", "categories as numbers, not encoded", "everything", replace(EVERYTHING, encoded=False)


def answers(variant: Variant, earlier: Sample, later: Sample, options: argparse.Namespace) -> Floats:
    """What the two members learn of the earlier sessions and say about the later ones, in log-odds."""
    known, asked = (_shown(part, variant) for part in (earlier, later))
    session, first, last = session_spans(known)
    cut = np.sort(first)[int(len(first) * (1 - VALIDATION))]
    fit, validation = (known.take(np.flatnonzero(side[session])) for side in (last < cut, first >= cut))
    encoder, matrix = TargetEncoder.fit(fit)
    fit = fit.with_values(matrix)
    validation = validation.with_values(encoder.transform(validation.table.values))
    encoded = encoder.transform(asked.table.values)
    found = [
        MEMBERS[name]
        .fit(fit, validation, seed=options.seed + variant.another, params=params, threads=options.threads)
        .log_odds(encoded, threads=options.threads)
        for name, params in QUICK.items()
    ]
    return np.asarray(np.mean(found, axis=0))


def _shown(part: Sample, variant: Variant) -> Sample:
    table = part.table
    kept = [place for place, name in enumerate(table.names) if name in variant.columns]
    names = tuple(table.names[place] for place in kept)
    shown = Table(table.values[:, kept], names, table.categorical & set(names) if variant.encoded else frozenset())
    weights = case_weights(part.sessions, power=variant.power)
    return Sample(shown, part.labels, weights, part.sessions, part.times, part.ends)


def line(kind: str, name: str, found: dict[tuple[str, str], Difference]) -> str:
    """A row of the table in docs/accuracy.md."""
    cells = []
    for view in ("session", "point"):
        one = found[view, "average_precision"]
        cells += [f"{one.second:.4f}", f"{one.gain:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"]
    return f"| {kind} | {name} | " + " | ".join(cells) + " |"


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--only", nargs="*", default=[], help="variants whose kind or name holds one of these words")
    parser.add_argument("--out", type=Path, help="a file to which each row is added as it is found")
    options = parser.parse_args()
    named = [name for group in GROUPS.values() for name in group]
    assert sorted(named) == sorted(feature.name for feature in FEATURES), "each feature belongs to one group"
    earlier, later = halves(options)
    told("learning: everything")
    against = {"everything": answers(EVERYTHING, earlier, later, options)}
    print("| | | AP by session | gain [95%] | AP by point | gain [95%] |\n|---|---|---|---|---|---|")
    for kind, name, base, variant in variants():
        wanted = not options.only or any(word in f"{kind} {name}" for word in options.only)
        if not wanted and kind != "counters":
            continue
        answer = answers(variant, earlier, later, options)
        against.setdefault(name, answer)
        pairs = compared(against[base], answer, later, seed=options.seed, draws=options.draws)
        row = line(kind, name, {(view, figure): difference for view, figure, difference in pairs})
        print(row, flush=True)
        if options.out:
            with options.out.open("a") as file:
                file.write(f"{row}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
