"""Members fitted anew on more than they began with, so that they are as fresh as what will serve.

A calibration measured on old members and kept for fresh ones counts what has changed in between twice: the fresh ones
have learnt of it already. Members brought forward to right before the calibration slice stand as far from it as those
fitted on everything will stand from what they are asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.members import Member
from purchase_intent.learning.splits import session_spans
from purchase_intent.learning.table import Sample

__all__ = ["Parts", "Refitted", "parted", "refitted"]

Progress = Callable[[str], None]


class Parts(NamedTuple):
    """A sample cut at a moment: sessions that were over before it, and sessions that began at it or later."""

    known: Sample
    later: Sample


class Refitted(NamedTuple):
    """Members and their encoder, and the sample that they were fitted on, encoded."""

    encoder: TargetEncoder
    members: dict[str, Member]
    sample: Sample


def parted(sample: Sample, begin: int) -> Parts:
    """Cut a sample at `begin` [ms]; a session that goes on at that moment is in neither part."""
    session, first, last = session_spans(sample)
    return Parts(
        sample.take(np.flatnonzero((last < begin)[session])), sample.take(np.flatnonzero((first >= begin)[session]))
    )


def refitted(members: Mapping[str, Member], sample: Sample, *, threads: int, progress: Progress, said: str) -> Refitted:
    """The members, with the rounds they have, and an encoder, fitted on `sample`; `said` is told with each name."""
    encoder, encoded = TargetEncoder.fit(sample)
    whole = sample.with_values(encoded)
    found = {}
    for name, member in members.items():
        progress(said.format(name))
        # The rounds found: a tenth or a quarter more, for the larger sample, measured the same on the real log.
        found[name] = member.refit(whole, threads=threads)
    return Refitted(encoder, found, whole)
