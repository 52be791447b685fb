"""A GRU on the sequence of events, on the protocol of the ensemble, alone and blended with it.

    pip install torch        # in an environment of its own: the package never needs it
    python benchmarks/trial_gru.py [--log FILE --cut T] [--zone NAME] [--size 64] [--epochs 12] [--seeds 2]
                                   [--seed 1] [--threads 2] [--draws 200]

Without --log it takes the two months of the Google Merchandise Store under INTENT_DATA, cut at 2016-09-16 07:00 UTC.
At each moment of a session the network reads what that moment alone tells (kind, page, pause, product, price, catalogue
facts), where the session came from, and what was known of the visitor when it began; what the session has done so far
it has to keep in its state, where the ensemble is given counts and times. Slices, case weights, encodings of
categories, stopping on the validation slice and learning once more from everything are those of the ensemble. The blend
gives the network the weight that the validation slice finds for it as a fifth member. It is a measurement: it ends with
0 whatever it finds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from benchmarks.later_slice import Floats, add_options, compared, halves, told  # noqa: E402
from purchase_intent.learning import IntentEnsemble, Sample, split  # noqa: E402
from purchase_intent.learning.encoding import TargetEncoder  # noqa: E402
from purchase_intent.learning.weights import fit_weights, nats  # noqa: E402

NAMED: Final = {"kind": 12, "page": 16}
"""Columns that are looked up, and how many values they have at most; the other categories come as encodings."""
OF_THE_MOMENT: Final = (
    "gap", "price", "price_to_category", "product_popularity", "product_cart_rate", "product_buy_rate",
    "category_cart_rate", "category", "brand", "product_known", "checkout_value",
)  # fmt: skip
OF_THE_SESSION: Final = ("hour", "weekday", "device", "channel", "country", "landing", "shop_conversion")
OF_THE_PAST: Final = (
    "since_last_session", "since_past_purchase", "since_left", "since_first_seen", "since_second_session",
    "since_fourth_session",
)  # fmt: skip
"""Beside every `past_…`."""
TOKENS: Final = 16_384
"""Moments in one step of learning."""
PATIENCE: Final = 2

Rows = NDArray[np.intp]
Tensor = Any


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the network reads of a sample: rows in order within their session, and where each session begins."""

    numbers: NDArray[np.float32]
    named: NDArray[np.int64]
    labels: NDArray[np.float32]
    weights: NDArray[np.float32]
    order: Rows
    starts: Rows
    lengths: Rows

    @classmethod
    def of(cls, sample: Sample, matrix: NDArray[np.float32], scale: tuple[Floats, Floats]) -> Inputs:
        """`matrix` is the sample's, its categories encoded; `scale` comes from `scale_of` the slice to learn from."""
        order = np.lexsort((sample.times, sample.sessions))
        _, starts, lengths = np.unique(sample.sessions[order], return_index=True, return_counts=True)
        centre, spread = scale
        numbers = ((squeezed(sample, matrix)[order] - centre) / spread).astype(np.float32)
        raw = sample.table.values[order]
        named = np.column_stack([_named(raw[:, sample.table.names.index(name)], name) for name in NAMED])
        return cls(
            numbers,
            named,
            sample.labels[order].astype(np.float32),
            sample.weights[order].astype(np.float32),
            order,
            starts,
            lengths,
        )


def columns(names: Sequence[str]) -> list[int]:
    """What the network reads as numbers."""
    wanted = {*OF_THE_MOMENT, *OF_THE_SESSION, *OF_THE_PAST}
    return [place for place, name in enumerate(names) if name in wanted or name.startswith("past_")]


def squeezed(sample: Sample, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The numbers with long tails drawn in: the logarithm of one more, either side of nothing."""
    kept = np.nan_to_num(matrix[:, columns(sample.table.names)])
    return np.asarray(np.sign(kept) * np.log1p(np.abs(kept)), np.float32)


def scale_of(sample: Sample, matrix: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Mean and spread of each number."""
    numbers = squeezed(sample, matrix)
    return numbers.mean(axis=0, dtype=np.float64), np.maximum(numbers.std(axis=0, dtype=np.float64), 1e-3)


def _named(column: NDArray[np.float32], name: str) -> NDArray[np.int64]:
    return np.clip(np.nan_to_num(column), 0, NAMED[name] - 1).astype(np.int64)


class Network(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """Lookups and numbers through one layer into a GRU, and its state to log-odds after each moment."""

    def __init__(self, width: int, size: int, prior: float) -> None:
        super().__init__()
        self.lookups = torch.nn.ModuleList([torch.nn.Embedding(count, 8) for count in NAMED.values()])
        self.enter = torch.nn.Sequential(torch.nn.Linear(width + 8 * len(NAMED), size), torch.nn.ReLU())
        self.rest = torch.nn.GRU(size, size, batch_first=True)
        self.leave = torch.nn.Sequential(
            torch.nn.Dropout(0.2), torch.nn.Linear(2 * size, size), torch.nn.ReLU(), torch.nn.Linear(size, 1)
        )
        torch.nn.init.constant_(self.leave[-1].bias, prior)

    def forward(self, numbers: Tensor, named: Tensor) -> Tensor:
        """Log-odds [sessions, moments]."""
        looked = [lookup(named[..., place]) for place, lookup in enumerate(self.lookups)]
        entered = self.enter(torch.cat([numbers, *looked], dim=-1))
        state, _ = self.rest(entered)
        return self.leave(torch.cat([state, entered], dim=-1)).squeeze(-1)


def batches(inputs: Inputs, rng: np.random.Generator | None) -> Iterator[tuple[Rows, NDArray[np.bool_]]]:
    """Rows [sessions, moments] of sessions of like length, and which of them are there; at random with `rng`."""
    noise = np.zeros(len(inputs.lengths)) if rng is None else rng.random(len(inputs.lengths))
    by_length = np.argsort(inputs.lengths + noise, kind="stable")
    ends = np.cumsum(inputs.lengths[by_length])
    groups = np.split(by_length, np.flatnonzero(np.diff(ends // TOKENS)) + 1)
    for group in groups if rng is None else (groups[place] for place in rng.permutation(len(groups))):
        steps = np.arange(int(inputs.lengths[group].max()))
        there = steps < inputs.lengths[group][:, None]
        yield np.where(there, inputs.starts[group][:, None] + steps, 0), there


def loss_of(network: Any, inputs: Inputs, rows: Rows, there: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """The case-weighted sum of log-losses of a batch, and its weight."""
    margins = network(torch.from_numpy(inputs.numbers[rows]), torch.from_numpy(inputs.named[rows]))
    mass = torch.from_numpy(np.where(there, inputs.weights[rows], np.float32(0)))
    labels = torch.from_numpy(inputs.labels[rows])
    lost = torch.nn.functional.binary_cross_entropy_with_logits(margins, labels, weight=mass, reduction="sum")
    return lost, mass.sum()


def margins_of(network: Any, inputs: Inputs) -> Floats:
    """Log-odds in the order of the sample."""
    network.eval()
    found = np.zeros(len(inputs.order))
    with torch.no_grad():
        for rows, there in batches(inputs, None):
            margins = network(torch.from_numpy(inputs.numbers[rows]), torch.from_numpy(inputs.named[rows])).numpy()
            found[inputs.order[rows[there]]] = margins[there]
    return found


def learnt(
    inputs: Inputs, validation: Sample | None, judge: Inputs | None, *, epochs: int, size: int, seed: int
) -> tuple[Any, int]:
    """The network and its epochs: with a validation sample stopped where its log-loss is lowest, else all of them."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    rate = float(np.average(inputs.labels, weights=inputs.weights))
    network = Network(inputs.numbers.shape[1], size, float(np.log(rate / (1 - rate))))
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    best, kept, found = np.inf, network.state_dict(), 0
    for epoch in range(1, epochs + 1):
        network.train()
        for rows, there in batches(inputs, rng):
            optimiser.zero_grad()
            lost, mass = loss_of(network, inputs, rows, there)
            (lost / mass).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        if validation is None or judge is None:
            found, kept = epoch, network.state_dict()
            continue
        loss = float(np.average(nats(margins_of(network, judge), validation.labels), weights=validation.weights))
        told(f"epoch {epoch}: log-loss {loss:.5f} on the validation slice")
        if loss < best:
            best, found, kept = loss, epoch, {name: value.clone() for name, value in network.state_dict().items()}
        elif epoch - found >= PATIENCE:
            break
    network.load_state_dict(kept)
    return network, found


def network_answers(earlier: Sample, later: Sample, options: argparse.Namespace) -> tuple[Floats, Floats]:
    """The mean log-odds over seeds: of the fit slice's networks on the validation slice, of the final ones on later."""
    raw = split(earlier)
    encoder, matrix = TargetEncoder.fit(raw.fit)
    scale = scale_of(raw.fit, matrix)
    fit = Inputs.of(raw.fit, matrix, scale)
    judge = Inputs.of(raw.validation, encoder.transform(raw.validation.table.values), scale)
    whole_encoder, whole_matrix = TargetEncoder.fit(earlier)
    whole_scale = scale_of(earlier, whole_matrix)
    whole = Inputs.of(earlier, whole_matrix, whole_scale)
    asked = Inputs.of(later, whole_encoder.transform(later.table.values), whole_scale)
    drafts, finals = [], []
    for seed in range(options.seed, options.seed + options.seeds):
        began = time.process_time()
        draft, epochs = learnt(fit, raw.validation, judge, epochs=options.epochs, size=options.size, seed=seed)
        final, _ = learnt(whole, None, None, epochs=epochs, size=options.size, seed=seed)
        drafts.append(margins_of(draft, judge))
        finals.append(margins_of(final, asked))
        told(f"seed {seed}: {epochs} epochs, {time.process_time() - began:.0f} s of the processor")
    return np.mean(drafts, axis=0), np.mean(finals, axis=0)


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--size", type=int, default=64, help="numbers in the network's state")
    parser.add_argument("--epochs", type=int, default=12, help="at most")
    parser.add_argument("--seeds", type=int, default=2, help="networks whose answers are averaged")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(mode=True)
    earlier, later = halves(options)
    draft, alone = network_answers(earlier, later, options)
    ensemble = IntentEnsemble.fit(earlier, seed=options.seed, threads=options.threads, progress=told)
    assert ensemble.draft is not None
    validation = split(earlier).validation
    members = ensemble.draft.member_log_odds(validation.table, threads=options.threads)
    margins = np.column_stack([*members.values(), draft])
    weights = fit_weights(margins, validation.labels, validation.weights, validation.buying_sessions)
    print("weights:", {name: round(float(one), 3) for name, one in zip([*members, "gru"], weights, strict=True)})
    final = ensemble.member_log_odds(later.table, threads=options.threads)
    both = {"the ensemble": np.asarray(sum(ensemble.weights[name] * one for name, one in final.items()))}
    both["the GRU"] = alone
    both["all five"] = np.column_stack([*final.values(), alone]) @ weights
    for name in ("the GRU", "all five"):
        pairs = compared(both["the ensemble"], both[name], later, seed=options.seed, draws=options.draws)
        for view, figure, found in pairs:
            print(
                f"{figure} by {view}: the ensemble {found.first:.5f}, {name} {found.second:.5f}, "
                f"gain {found.gain:+.5f} [{found.low:+.5f}, {found.high:+.5f}]"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
