"""The cases of a large log built by several processes: the log cut into parts once, each part folded by itself.

A folder that all of them see holds the parts of the log, and then a Parquet file of cases for each. The cases are to
the last bit those that one process gathers (`training.dataset`), however many parts there are and whoever built them.
A part can be built again at any time: its file is written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from purchase_intent.exceptions import LogRefused, TrainingRefused
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import Sample
from purchase_intent.sources import EventLog, drafts
from purchase_intent.sources.partitions import open_partition, sessions_of_partitions, write_partitions
from purchase_intent.training.dataset import MOST_ROWS, NAMES, Cases, Choice, Columns, Progress, as_sample, choice
from purchase_intent.training.logfacts import LogFacts

__all__ = ["build_features", "gathered", "partition_log", "unbuilt"]

_PLAN: Final = "plan.json"
_SPOILED: Final = "spoiled.npy"
_GROUP: Final = 100_000
"""Rows of a row group."""


def partition_log(
    log: EventLog, folder: Path, count: int, *, seed: int, most: int = MOST_ROWS, progress: Progress
) -> None:
    """Write a log, which needs no order yet (`read_log`), to a new folder in `count` parts, with all that they need.

    At most about `most` cases will be kept. Raises LogRefused where the folder holds something, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise LogRefused(f"out: {folder} cannot be written ({error.strerror}); name another place") from error
    if taken:
        raise LogRefused(f"out: {folder} holds something already; name a new folder", path=str(folder))
    progress("writing partitions")
    write_partitions(log, folder, count)
    chosen = choice(log, seed=seed, most=most)
    np.save(folder / _SPOILED, chosen.spoiled_rows)
    sessions = sessions_of_partitions(log, count)
    plan = {
        "schema": schema_hash(),
        "seed": seed,
        "share": chosen.share,
        "finished_by": chosen.finished_by,
        "sessions_before": [sum(sessions[:number]) for number in range(count)],
        "log": LogFacts.of(log).to_json(),
    }
    with drafts(folder / _PLAN) as (draft,):  # last: a folder with a plan is whole
        draft.write_text(json.dumps(plan), encoding="utf-8")


def unbuilt(folder: Path) -> list[int]:
    """The parts whose cases are not there yet. Raises LogRefused where the folder is none of `partition_log`'s."""
    return [number for number in range(len(_plan(folder)["sessions_before"])) if not _file(folder, number).exists()]


def build_features(folder: Path, number: int) -> int:
    """Fold one part and write its cases as Parquet; how many. Raises LogRefused, TrainingRefused as `gathered`."""
    plan = _plan(folder)
    cases = Cases(
        Choice(
            seed=plan["seed"],
            share=plan["share"],
            finished_by=plan["finished_by"],
            spoiled_rows=np.load(folder / _SPOILED),
            sessions_before=plan["sessions_before"][number],
        )
    )
    with open_partition(folder, number) as events:
        for batch in events.batches(_BATCH, event_ids=False):
            cases.add(batch)
    columns = cases.columns()
    with drafts(_file(folder, number)) as (draft,):
        _write(columns, draft)
    return len(columns["labels"])


def gathered(folder: Path) -> tuple[Sample, LogFacts]:
    """The sample of a folder whose parts are all built, and the facts of its log.

    Raises LogRefused where the folder is none of `partition_log`'s, TrainingRefused where parts are missing, the
    features are of another release, or there is no case.
    """
    plan = _plan(folder)
    if missing := unbuilt(folder):
        raise TrainingRefused(
            f"features: {len(missing)} of the partitions in {folder} are not built yet, the first is {missing[0]}; "
            f"wait for the workers, or run intent_features --out {folder}",
            partitions=missing,
        )
    parts = [_read(_file(folder, number)) for number in range(len(plan["sessions_before"]))]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return as_sample(columns), LogFacts.from_json(plan["log"])


_BATCH: Final = 500_000


def _plan(folder: Path) -> Mapping[str, Any]:
    try:
        plan: Mapping[str, Any] = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
    except OSError as error:
        raise LogRefused(
            f"{folder}: holds no partitions of a log; make them with intent_features --events LOG --out FOLDER",
            path=str(folder),
        ) from error
    if plan["schema"] != schema_hash():
        raise TrainingRefused(f"features: {folder} was made for other features; make it again with intent_features")
    return plan


def _file(folder: Path, number: int) -> Path:
    return folder / f"features-{number:04d}.parquet"


def _write(columns: Columns, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    values = columns["values"]
    arrays = {name: pa.array(np.ascontiguousarray(values[:, place])) for place, name in enumerate(NAMES)}
    arrays |= {f"_{name}": pa.array(columns[name]) for name in ("labels", "sessions", "times", "ends")}
    parquet.write_table(pa.table(arrays), path, compression="zstd", row_group_size=_GROUP, use_dictionary=False)


def _read(path: Path) -> Columns:
    from pyarrow import parquet

    table = parquet.read_table(path)
    values = np.empty((table.num_rows, len(NAMES)), np.float32)
    for place, name in enumerate(NAMES):
        values[:, place] = table.column(name).to_numpy()
    others = {name: table.column(f"_{name}").to_numpy() for name in ("labels", "sessions", "times", "ends")}
    return {"values": values, **others}
