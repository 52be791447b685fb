"""What tuning tried and chose, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["tuning_report"]


def tuning_report(figures: Mapping[str, Any], *, of: str = "sessions") -> str:
    """Lines out of a version's figures, whose cases are called `of`; empty where nothing was tuned."""
    tuning = figures.get("tuning")
    if not tuning:
        return ""
    if "skipped" in tuning:
        return f"Not tuned: the fit slice is too small to be cut again ({tuning['skipped']}).\n"
    return "".join(f"{line}\n" for line in _lines(tuning, of))


def _lines(tuning: Mapping[str, Any], of: str) -> Iterator[str]:
    sessions = tuning["sessions"]
    yield (
        f"Tuned on {sessions['fit']:,} {of}, chosen on {sessions['choose']:,}, confirmed on "
        f"{sessions['confirm']:,}, of {sessions['of']:,} in the fit slice:"
    )
    for name, found in tuning["members"].items():
        yield f"  {name}: {_outcome(found)}"
    if together := tuning.get("together"):
        verdict = "adopted" if together["adopted"] else "within the noise, the defaults stay"
        yield (
            f"  together: confirmed gain {together['gain']:+.5f} with a standard error of {together['error']:.5f}: "
            f"{verdict}"
        )


def _outcome(found: Mapping[str, Any]) -> str:
    done = f"{found['tried']} of {found['asked']} trials, {found['cut_short']} cut short"
    if found["defaults"] is None:
        return f"{done}; none ended in time, the defaults stay"
    if not found["trial"]:
        return f"{done}; log-loss {found['defaults']:.5f}, nothing beat the defaults"
    gained = f"confirmed gain {found['gain']:+.5f} with a standard error of {found['error']:.5f}"
    losses = f"log-loss {found['best']:.5f} against {found['defaults']:.5f} of the defaults, {gained}"
    if not found["adopted"]:
        return f"{done}; {losses}: the defaults stay"
    chosen = ", ".join(f"{name} {value:.4g}" for name, value in found["params"].items())
    return f"{done}; {losses}: takes {chosen}"
