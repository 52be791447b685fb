"""The shipped log is the simulator's own work, can be read, and is neither too easy nor too hard."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from sklearn.metrics import roc_auc_score

from purchase_intent.sources import open_log

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
LOG = FIXTURES / "log.parquet"


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pq.read_table(LOG)


def test_the_command_in_the_readme_makes_the_log(tmp_path: Path, table: pa.Table) -> None:
    found = re.search(
        r"^    python manage\.py (simulate_shoppers .*)$", (FIXTURES / "README.md").read_text(), re.MULTILINE
    )
    assert found is not None
    words = shlex.split(found[1])
    target = tmp_path / "log.parquet"
    words[words.index("--out") + 1] = str(target)
    call_command(*words, stdout=StringIO(), stderr=StringIO())
    assert pq.read_table(target).equals(table)
    # Another version of Arrow may lay out the same rows in other bytes.
    if pq.read_metadata(target).created_by == pq.read_metadata(LOG).created_by:
        assert target.read_bytes() == LOG.read_bytes()


def test_the_log_is_small_and_has_enough_buyers(table: pa.Table) -> None:
    assert LOG.stat().st_size < 5_000_000
    assert 60_000 <= table.num_rows <= 90_000
    sessions = np.array(table.column("user_session").to_pylist())
    bought = np.array(table.column("event_type").to_pylist()) == "purchase"
    assert len(set(sessions[bought])) >= 250
    span = table.column("event_time")[-1].as_py() - table.column("event_time")[0].as_py()
    assert 42 <= span.days <= 56


def test_the_reader_takes_every_row(table: pa.Table) -> None:
    with open_log([LOG], zone="Europe/Berlin") as log:
        assert log.layout == "generic"
        assert (log.rows, log.accepted) == (table.num_rows, table.num_rows)
        assert sum(log.rejected.values()) == 0


def moments(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Simple counts at each moment before a session's first purchase: features, labels, session codes, times."""
    _, session = np.unique(np.array(table.column("user_session").to_pylist()), return_inverse=True)
    _, user = np.unique(np.array(table.column("user_id").to_pylist()), return_inverse=True)
    time = np.array(table.column("event_time").cast(pa.int64()))
    kind = np.array(table.column("event_type").to_pylist())
    names = [
        "page_view",
        "view",
        "cart",
        "view_cart",
        "checkout",
        "payment_info",
        "login",
        "search",
        "remove_from_cart",
    ]
    order = np.lexsort((np.arange(len(time)), session))
    session, user, time, kind = session[order], user[order], time[order], kind[order]
    starts = np.flatnonzero(np.r_[True, np.diff(session) > 0])
    first = np.repeat(starts, np.diff(np.r_[starts, len(session)]))
    counted = np.cumsum(np.stack([kind == name for name in (*names, "purchase")], axis=1), axis=0)
    before = np.where(first[:, None] > 0, counted[first - 1], 0)
    counts = counted - before
    buys = np.maximum.reduceat(kind == "purchase", starts)[np.searchsorted(starts, first)]
    codes = [
        np.unique(np.array(table.column(name).to_pylist()), return_inverse=True)[1][order]
        for name in ("device", "channel")
    ]
    seen = np.zeros(len(user))
    known = dict.fromkeys(user.tolist(), 0)
    for start in starts[np.argsort(time[starts])].tolist():
        seen[start] = known[user[start]]
        known[user[start]] += 1
    features = np.column_stack(
        [counts[:, :-1], (time - time[first]) / 1000, np.arange(len(time)) - first, seen[first], *codes]
    )
    keep = counts[:, -1] == 0
    return features[keep], buys[keep].astype(float), session[keep], time[first][keep]


def test_intent_shows_in_behaviour_but_only_in_part(table: pa.Table) -> None:
    features, labels, session, start = moments(table)
    later = start > np.quantile(start, 0.7)
    _, codes, counts = np.unique(session, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[codes]
    model = lightgbm.LGBMClassifier(n_estimators=60, num_leaves=15, learning_rate=0.1, n_jobs=1, verbose=-1)
    model.fit(features[~later], labels[~later], sample_weight=weights[~later])
    scores = model.predict(features[later], raw_score=True)
    assert 0.85 < roc_auc_score(labels[later], scores, sample_weight=weights[later]) < 0.95
