"""Files to write: refused before the work where they cannot be, and there whole or not at all after it."""

from __future__ import annotations

import glob
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from purchase_intent.exceptions import LogRefused

__all__ = ["check_targets", "drafts"]

_LEFT: Final = 24 * 3600
"""Seconds without a byte after which a draft is taken for that of a process that was killed."""


def check_targets(targets: Mapping[str, Path | None], inputs: Sequence[Path]) -> None:
    """Refuse what cannot be written, by the name of its option; a target of None is not asked for.

    Raises LogRefused where a target is one of the inputs or another target, under whatever name, is a folder, or lies
    where nothing can be written. Nothing is left behind.
    """
    taken: dict[Hashable, str] = {_identity(path): "a log to be read" for path in inputs}
    for option, target in targets.items():
        if target is None:
            continue
        place = _identity(target)
        if place in taken:
            raise LogRefused(f"{option}: {target} is {taken[place]}; give it a file of its own", path=str(target))
        taken[place] = f"the file of {option}"
        _probe(option, target)


def _identity(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return path.resolve()
    return found.st_dev, found.st_ino


def _probe(option: str, target: Path) -> None:
    if target.is_dir():
        raise LogRefused(f"{option}: {target} is a folder; name a file in it", path=str(target))
    if not target.parent.is_dir():
        raise LogRefused(f"{option}: {target}: its folder does not exist; make it first", path=str(target))
    draft = _draft(target)
    try:
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise LogRefused(
            f"{option}: {target} cannot be written ({error.strerror}); name another place", path=str(target)
        ) from error


@contextmanager
def drafts(*targets: Path) -> Iterator[list[Path]]:
    """Names to write under; all drafts take their targets' places at the end, none where anything failed.

    Several processes may write the same target at once: each has a draft of its own, and the last to end stands.
    """
    for target in targets:
        _sweep(target)
    made = [_draft(target) for target in targets]
    try:
        yield made
        for draft, target in zip(made, targets, strict=True):
            draft.replace(target)
    finally:
        for draft in made:
            draft.unlink(missing_ok=True)


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid4().hex}.unfinished")


def _sweep(target: Path) -> None:
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.unfinished"):
        with suppress(OSError):  # another process may sweep at the same time
            if left.stat().st_mtime < time.time() - _LEFT:
                left.unlink()
