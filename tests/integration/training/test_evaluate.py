"""`intent_evaluate`: a score for everything, the figures of an independent count, and nothing from the future."""

from __future__ import annotations

import importlib.util
import json
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from purchase_intent.models import ModelVersion
from tests.logs import cut, moment, split, write
from tests.trained import Trained

pytestmark = pytest.mark.django_db


def intent_evaluate(history: Path, events: Path, folder: Path, model: str = "champion") -> tuple[Any, Path]:
    out, report = folder / "predictions.parquet", folder / "report.json"
    arguments = ["--history", history, "--events", events, "--model", model, "--out", out, "--report", report]
    call_command("intent_evaluate", *(str(argument) for argument in arguments), stdout=StringIO())
    return json.loads(report.read_text(encoding="utf-8")), out


def predictions(path: Path) -> dict[str, float]:
    return dict(duckdb.execute(f"SELECT event_id, score FROM '{path}'").fetchall())


def expected_points(events: Path, scores: dict[str, float]) -> tuple[list[int], list[float], list[float]]:
    """Labels, scores and session weights of the decision points, counted in plain Python."""
    sessions: dict[str, list[tuple[Any, str, str]]] = {}
    query = f"SELECT user_session, epoch_ms(event_time), event_type, event_id FROM '{events}'"
    for session, time, name, event in duckdb.execute(query).fetchall():
        sessions.setdefault(session, []).append((time, name, event))
    labels, found, weights = [], [], []
    for rows in sessions.values():
        purchases = [time for time, name, _ in rows if name == "purchase"]
        last_of_moment = {time: event for time, _, event in sorted(rows, key=lambda row: row[0])}
        moments = [time for time in last_of_moment if not purchases or time < min(purchases)]
        for time in moments:
            labels.append(int(bool(purchases) and max(purchases) > time))
            found.append(scores[last_of_moment[time]])
            weights.append(1 / len(moments))
    return labels, found, weights


def test_the_report_agrees_with_an_independent_count(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    report, out = intent_evaluate(trained.history, trained.later, tmp_path)
    scores = predictions(out)
    (rows,) = duckdb.execute(f"SELECT count(*) FROM '{trained.later}'").fetchall()[0]
    assert len(scores) == rows == report["predictions"]
    assert all(0 < score < 1 for score in scores.values())

    labels, found, weights = expected_points(trained.later, scores)
    for row, weight in (("all", weights), ("all_points", None)):
        figures = report["figures"][row]
        assert figures["rows"] == len(labels)
        assert figures["auc"] == pytest.approx(roc_auc_score(labels, found, sample_weight=weight), abs=1e-12)
        assert figures["average_precision"] == pytest.approx(
            average_precision_score(labels, found, sample_weight=weight), abs=1e-12
        )
        assert figures["brier"] == pytest.approx(brier_score_loss(labels, found, sample_weight=weight), abs=1e-12)
    assert report["figures"]["all"]["auc"] > 0.8
    assert {*report["models"]} == {"baseline", "catboost", "xgboost", "lightgbm", "forest", "ensemble"}
    assert all(row["one_row_us"] > 0 for row in report["models"].values())
    assert [len(bins) for bins in report["calibration"].values()] == [10, 10]


def test_the_report_agrees_with_the_scorer_at_hand(
    champion: ModelVersion, trained: Trained, tmp_path: Path, real_logs: Path
) -> None:
    path = real_logs.parent / "tools" / "score_predictions.py"
    if not path.exists():
        pytest.skip("no scorer beside the real logs")
    spec = importlib.util.spec_from_file_location("score_predictions", path)
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    report, out = intent_evaluate(trained.history, trained.later, tmp_path)
    judged = scorer.report(str(trained.later), str(out))
    names = {"auc": "auc", "average_precision": "ap", "brier": "brier", "ece": "ece", "best_f1": "best_f1"}
    for row in ("all", "all_points", "k=1", "k=3", "first_view", "first_cart", "first_checkout"):
        for ours, theirs in names.items():
            assert report["figures"][row][ours] == pytest.approx(judged[row][theirs], abs=1e-4), (row, ours)


def check_cut(history: Path, later: Path, folder: Path, *, share: float) -> None:
    """Score a log whole and cut; what came before the cut must not have changed by a bit."""
    whole, part, shortened = folder / "whole", folder / "part", folder / "cut.parquet"
    whole.mkdir()
    part.mkdir()
    cut(later, shortened, share=share)
    full = predictions(intent_evaluate(history, later, whole)[1])
    early = predictions(intent_evaluate(history, shortened, part)[1])
    assert 100 < len(early) < len(full)
    assert early == {event: full[event] for event in early}


@pytest.mark.parametrize("share", [0.2, 0.55, 0.9])
def test_a_cut_log_has_the_same_scores_to_the_bit(
    share: float, champion: ModelVersion, trained: Trained, tmp_path: Path
) -> None:
    check_cut(trained.history, trained.later, tmp_path, share=share)


def test_a_cut_real_log_has_the_same_scores_to_the_bit(champion: ModelVersion, real_logs: Path, tmp_path: Path) -> None:
    (log,) = (real_logs / "gstore").glob("*.parquet")
    split(log, tmp_path / "before.parquet", tmp_path / "after.parquet", at=moment(log, 0.75))
    check_cut(tmp_path / "before.parquet", tmp_path / "after.parquet", tmp_path, share=0.4)


def test_rejected_rows_get_the_score_that_stood(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.parquet"
    (target, before) = duckdb.execute(
        f"""SELECT event_id, before FROM (
            SELECT event_id, event_type, event_time,
                lag(event_id) OVER session AS before, lag(event_time) OVER session AS earlier
            FROM '{trained.later}' WINDOW session AS (PARTITION BY user_session ORDER BY event_time, event_id)
        ) WHERE event_type = 'cart' AND earlier < event_time ORDER BY event_id LIMIT 1"""
    ).fetchall()[0]
    duckdb.execute(
        f"SET timezone = 'UTC'; COPY (SELECT * REPLACE (CASE WHEN event_id = '{target}' THEN 2000000000 "
        f"ELSE quantity END AS quantity) FROM '{trained.later}') TO '{dirty}'"
    )
    report, out = intent_evaluate(trained.history, dirty, tmp_path)
    scores = predictions(out)
    assert report["log"]["rejected"] == {"absurd_quantity": 1}
    assert scores[target] == scores[before]


def test_refusals_write_nothing(trained: Trained, db: None, bundle_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No champion serves the session horizon"):
        intent_evaluate(trained.history, trained.later, tmp_path)
    assert list(tmp_path.glob("*.parquet")) == []
    assert list(tmp_path.glob("*.json")) == []


def test_a_missing_log_is_named(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.parquet"):
        intent_evaluate(trained.history, tmp_path / "nowhere.parquet", tmp_path)
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_missing_folder_is_named_before_the_work(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="its folder does not exist"):
        intent_evaluate(trained.history, trained.later, tmp_path / "missing")


@pytest.mark.parametrize(
    ("out", "report", "said"),
    [
        pytest.param("log.parquet", "r.json", r"--out: .*log\.parquet is a log to be read", id="out is the log"),
        pytest.param("same", "same", r"--report: .*same is the file of --out", id="one file for both"),
        pytest.param("folder", "r.json", r"--out: .*folder is a folder", id="out is a folder"),
        pytest.param("p.parquet", "folder", r"--report: .*folder is a folder", id="report is a folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    out: str, report: str, said: str, champion: ModelVersion, trained: Trained, tmp_path: Path
) -> None:
    log = tmp_path / "log.parquet"
    log.write_bytes(trained.later.read_bytes())
    (tmp_path / "folder").mkdir()
    before = {path: path.stat().st_size for path in tmp_path.iterdir()}
    arguments = ["--events", log, "--out", tmp_path / out, "--report", tmp_path / report]
    with pytest.raises(CommandError, match=said):
        call_command("intent_evaluate", *(str(argument) for argument in arguments), stdout=StringIO())
    assert {path: path.stat().st_size for path in tmp_path.iterdir()} == before


def test_events_in_both_logs_are_refused(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"[\d,]+ events of --events are in --history too"):
        intent_evaluate(trained.later, trained.later, tmp_path)
    assert list(tmp_path.glob("*.parquet")) == []


def test_one_class_is_scored_and_counted(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    idle = tmp_path / "idle.parquet"
    duckdb.execute(
        f"SET timezone = 'UTC'; COPY (SELECT * FROM '{trained.later}' WHERE event_type = 'view') TO '{idle}'"
    )
    report, out = intent_evaluate(trained.history, idle, tmp_path)
    assert report["figures"]["all"].keys() == {"rows", "positives"}
    assert report["figures"]["all"]["positives"] == 0
    assert len(predictions(out)) == report["predictions"] > 1_000
    assert [row.keys() for row in report["models"].values()] == [{"one_row_us"}] * 6


def test_nothing_to_judge_is_one_line(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    bought = write(tmp_path / "log.csv", ["a,2026-04-20T12:00:00Z,purchase,v,s,tent,9,1,o1"])
    with pytest.raises(CommandError, match="--events hold no moment before a purchase"):
        intent_evaluate(trained.history, bought, tmp_path)
    assert list(tmp_path.glob("*.parquet")) == []


def test_figures_on_what_was_learnt_warn(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    ModelVersion.objects.update(trained_until="2026-04-15T00:00:00Z")
    said = StringIO()
    arguments = ["--events", trained.later, "--out", tmp_path / "p.parquet", "--report", tmp_path / "r.json"]
    call_command("intent_evaluate", *(str(argument) for argument in arguments), stdout=StringIO(), stderr=said)
    assert "of these events lie before 2026-04-15T00:00:00+00:00, in the time the model learnt from" in said.getvalue()


def test_a_row_without_a_time_gets_the_base_rate(champion: ModelVersion, trained: Trained, tmp_path: Path) -> None:
    timeless = tmp_path / "timeless.parquet"
    (target,) = duckdb.execute(f"SELECT min(event_id) FROM '{trained.later}'").fetchall()[0]
    duckdb.execute(
        f"SET timezone = 'UTC'; COPY (SELECT * REPLACE (CASE WHEN event_id <> '{target}' THEN event_time END "
        f"AS event_time) FROM '{trained.later}') TO '{timeless}'"
    )
    report, out = intent_evaluate(trained.history, timeless, tmp_path)
    assert report["log"]["rejected"] == {"missing_time": 1}
    assert predictions(out)[target] == trained.ensemble.figures["models"]["ensemble"]["session"]["base_rate"]


def test_score_of_an_event_depends_on_no_batch(trained: Trained) -> None:
    rows = np.random.default_rng(1).random((500, len(trained.ensemble.names))).astype(np.float32)
    one_by_one = np.concatenate([trained.ensemble.predict(rows[i : i + 1]) for i in range(50)])
    assert trained.ensemble.predict(rows)[:50].tobytes() == one_by_one.tobytes()
