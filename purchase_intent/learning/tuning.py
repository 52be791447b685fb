"""The seam for tuning: from a member's defaults to the parameters it is fitted with."""

from __future__ import annotations

from collections.abc import Mapping

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.members import MEMBERS, Params

__all__ = ["chosen_params"]


def chosen_params(
    names: tuple[str, ...], params: Mapping[str, Params] | None = None, *, trials: int = 0
) -> dict[str, dict[str, object]]:
    """Parameters by member: what the caller gives, over each member's defaults.

    `trials` is the number of tuning trials for each member; only 0 is supported so far. Raises TrainingRefused for any
    other number and for a member nobody knows.
    """
    if trials != 0:
        raise TrainingRefused(f"trials: {trials} asked for, but members are not tuned; use 0", field="trials")
    if not names or len(set(names)) != len(names):
        raise TrainingRefused("members: name at least one member, and each once", field="members")
    if unknown := sorted({*names, *(params or {})} - set(MEMBERS)):
        raise TrainingRefused(f"members: {unknown} unknown; choose from {', '.join(MEMBERS)}", field="members")
    return {name: {**MEMBERS[name].defaults, **(params or {}).get(name, {})} for name in names}
