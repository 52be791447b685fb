"""Many records at once, as structured arrays: read from their bytes, told to pasts, turned into vectors.

The functions are those of the live path and the results equal to the bit. They run row by row, at some 20 microseconds
each, until a process has done so many that compiling them pays; then compiled, at less than one. Where Numba is not
installed they go on row by row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import MissingExtra
from purchase_intent.features.live import read_row
from purchase_intent.features.past import tell
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Layout

__all__ = ["PAYS_FROM", "tell_all", "unpacked", "vectors"]

PAYS_FROM: Final = 100_000
"""Rows of one process from which it compiles: these took it as long as compiling does, some two seconds."""

Records = NDArray[np.void]
Moments = NDArray[np.int64]


class _Process:
    """How many rows this process has done one by one, and whether it could compile."""

    rows = 0
    compiles = True


def unpacked(layout: Layout[Any], packed: Iterable[bytes | memoryview]) -> Records:
    """Packed records as rows that may be written to; a record of another length, an earlier layout's, is blank."""
    blank = bytes(layout.size)
    joined = b"".join(each if len(each) == layout.size else blank for each in packed)
    return np.frombuffer(bytearray(joined), layout.dtype)


def vectors(states: Records, pasts: Records, now: Moments, *, compiles: bool = True) -> NDArray[np.float32]:
    """The features of each session at its moment (milliseconds since 1970 UTC): float32 of shape (n, features).

    `compiles` is False for a page, which never compiles. ValueError where the lengths differ.
    """
    if not len(states) == len(pasts) == len(now):
        raise ValueError(f"each of {len(states)} states needs one past and one moment: {len(pasts)}, {len(now)}")
    out = np.empty((len(states), len(FEATURES)), np.float32)
    compiled = _compiled(len(states)) if compiles else None
    if compiled is not None:
        compiled.read_many(states, pasts, np.ascontiguousarray(now, np.int64), out)
        return out
    for line, (state, past, moment) in enumerate(zip(_rows(states), _rows(pasts), now.tolist(), strict=True)):
        out[line] = read_row(STATE_LAYOUT.loads(state), PAST_LAYOUT.loads(past), moment)
    return out


def tell_all(pasts: Records, owner: Moments, states: Records, *, compiles: bool = True) -> None:
    """Tell each state, in this order, to the past in the place that `owner` names; `pasts` and `states` are changed.

    A blank state tells nothing. `compiles` as for `vectors`. ValueError where a place is not there.
    """
    if len(owner) != len(states) or (len(owner) and not 0 <= owner.min() <= owner.max() < len(pasts)):
        raise ValueError(f"each of {len(states)} states needs a place among {len(pasts)} pasts")
    begun = np.flatnonzero(states["events"] > 0)
    told = states[begun]
    compiled = _compiled(len(told)) if compiles else None
    if compiled is not None:
        compiled.tell_many(pasts, np.ascontiguousarray(owner[begun], np.int64), told)
        states[begun] = told
        return
    for place, line in zip(owner[begun].tolist(), begun.tolist(), strict=True):
        past, state = PAST_LAYOUT.loads(pasts[place].tobytes()), STATE_LAYOUT.loads(states[line].tobytes())
        tell(past, state)
        pasts[place] = np.frombuffer(PAST_LAYOUT.dumps(past), PAST_LAYOUT.dtype)[0]
        states[line] = np.frombuffer(STATE_LAYOUT.dumps(state), STATE_LAYOUT.dtype)[0]


def _rows(records: Records) -> Iterable[bytes]:
    packed, size = records.tobytes(), records.dtype.itemsize
    return (packed[begin : begin + size] for begin in range(0, len(packed), size))


def _compiled(rows: int) -> Any:
    """The module that compiles, once this process has so many rows behind it, or before it, that this pays."""
    _Process.rows += rows
    if _Process.rows < PAYS_FROM or not _Process.compiles:
        return None
    from purchase_intent.features import history

    try:
        history.ready_to_read()
    except MissingExtra:
        _Process.compiles = False
        return None
    return history
