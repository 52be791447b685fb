"""The file of finished trials: a journal of Optuna's, one study for each member.

A trial is written whole when it has ended, as one line: whatever kills the search, the file holds finished trials and
nothing else, and at worst a torn last line, which is dropped. One process uses a file at a time. The journal is
Optuna's own format, so that its dashboard reads it; it needs no database library.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from purchase_intent.exceptions import TrainingBusy, TrainingRefused
from purchase_intent.learning.members.base import learner

__all__ = ["Kept", "kept_trials"]

Origin = Mapping[str, str]
"""What trials hold for, by field: another value of one, and they are worth nothing."""

MADE_OF = "made_of"


class Kept:
    """Finished trials by member, in a file or in memory."""

    def __init__(self, storage: Any, path: Path | None) -> None:
        self._storage = storage
        self._path = path
        self._studies: dict[str, Any] = {}

    def open(self, origins: Mapping[str, Origin]) -> None:
        """Make room for the members' trials; TrainingRefused, with nothing written, where a field differs."""
        optuna = learner("optuna", extra="train")
        stored = set(optuna.get_all_study_names(self._storage))
        for name in origins.keys() & stored:
            study = optuna.load_study(study_name=name, storage=self._storage)
            self._refuse_another(study.user_attrs.get(MADE_OF), origins[name])
        for name, origin in origins.items():
            study = optuna.create_study(study_name=name, storage=self._storage, load_if_exists=True)
            study.set_user_attr(MADE_OF, dict(origin))
            self._studies[name] = study

    def _refuse_another(self, before: Origin | None, now: Origin) -> None:
        if before is None:
            return  # killed before it had said what it was made of, and so before its first trial
        for field in now:
            if before.get(field) != now[field]:
                raise TrainingRefused(
                    f"study: {self._path} was made with another {field}; name another file, or delete this one",
                    field=field,
                )

    def trials(self, name: str) -> list[Any]:
        """A member's finished trials, in order."""
        return list(self._studies[name].trials)

    def add(self, name: str, trial: Any) -> None:
        """Keep one more finished trial; it is on disk when this returns."""
        self._studies[name].add_trial(trial)


@contextmanager
def kept_trials(path: Path | None) -> Iterator[Kept]:
    """The trials of a file, made if need be, for this process alone; without a path, trials in memory.

    Raises TrainingRefused where the file is not such a journal, or damaged, TrainingBusy where another process uses it.
    """
    optuna = learner("optuna", extra="train")
    if path is None:
        yield Kept(optuna.storages.InMemoryStorage(), None)
        return
    with _alone(path):
        _drop_torn_line(path)
        # What a process killed in mid-write left there, for which Optuna would wait half a minute.
        Path(f"{path}.lock").unlink(missing_ok=True)
        journal = learner("optuna.storages.journal", extra="train")
        try:
            storage = journal.JournalStorage(journal.JournalFileBackend(str(path)))
        except (ValueError, LookupError, TypeError) as damaged:
            raise _no_study(path) from damaged
        yield Kept(storage, path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # The lock goes with its process; the empty file stays, for a name that is made anew may be locked twice.
    with closing(sqlite3.connect(f"{path}.in-use", timeout=0, isolation_level=None)) as held:
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as taken:
            raise TrainingBusy(f"study: {path} is in use by another training; wait for its end") from taken
        yield


def _drop_torn_line(path: Path) -> None:
    if not path.exists() or not path.stat().st_size:
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    try:
        first = json.loads(data[:whole].split(b"\n", 1)[0])
    except ValueError as unreadable:
        raise _no_study(path) from unreadable
    if not isinstance(first, dict) or "op_code" not in first:
        raise _no_study(path)
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def _no_study(path: Path) -> TrainingRefused:
    return TrainingRefused(
        f"study: {path} is no study of this command, or damaged; name another file, or delete this one", field="study"
    )
