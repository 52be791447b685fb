"""Many records at once: the same to the bit as one by one, compiled or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from purchase_intent.exceptions import MissingExtra
from purchase_intent.features import columns, history
from purchase_intent.features.columns import tell_all, unpacked, vectors
from purchase_intent.features.live import read_row
from purchase_intent.features.past import tell
from purchase_intent.features.state import PAST, PAST_LAYOUT, STATE, STATE_LAYOUT, Past

NOW = 1_772_366_400_000
ROWS = 300


def records(dtype: Any, rows: int, seed: int) -> Any:
    """Records with something in every field: moments of the last days, or small counts and amounts."""
    rng = np.random.default_rng(seed)
    made = np.zeros(rows, dtype)
    for name in dtype.names:
        shape = made[name].shape
        small = rng.integers(0, 6, shape)
        if made[name].dtype.kind == "f":
            made[name] = small * rng.random(shape) * 100
        elif name in ("start", "last", "starts") or name.startswith(("first_", "last_")):
            made[name] = np.where(small > 0, NOW - rng.integers(0, 10**9, shape), 0)
        else:
            made[name] = small
    return made


@pytest.fixture(params=["one by one", "compiled", "without Numba"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a process does it."""
    monkeypatch.setattr(columns._Process, "rows", 0 if request.param == "one by one" else columns.PAYS_FROM)
    monkeypatch.setattr(columns._Process, "compiles", True)

    def missing() -> Any:
        raise MissingExtra(extra="train", package="numba")

    if request.param == "without Numba":
        monkeypatch.setattr(history, "ready_to_read", missing)
    return str(request.param)


def test_vectors_are_those_of_the_live_path(manner: str) -> None:
    states, pasts = records(STATE, ROWS, 1), records(PAST, ROWS, 2)
    now = NOW + np.arange(ROWS)
    found = vectors(states, pasts, now)
    for line in range(ROWS):
        state, past = STATE_LAYOUT.loads(states[line].tobytes()), PAST_LAYOUT.loads(pasts[line].tobytes())
        assert found[line].tobytes() == read_row(state, past, NOW + line).tobytes()
    assert columns._Process.compiles == (manner != "without Numba")


def test_states_tell_pasts_as_the_live_path_does(manner: str) -> None:
    states, pasts = records(STATE, ROWS, 3), records(PAST, 20, 4)
    owner = np.sort(np.random.default_rng(5).integers(0, 20, ROWS))
    wanted = [PAST_LAYOUT.loads(past.tobytes()) for past in pasts]
    told = []
    for place, packed in zip(owner.tolist(), states, strict=True):
        state = STATE_LAYOUT.loads(packed.tobytes())
        if state.events:
            tell(wanted[place], state)
        told.append(state)
    tell_all(pasts, owner, states)
    assert [PAST_LAYOUT.loads(past.tobytes()) for past in pasts] == wanted
    assert [STATE_LAYOUT.loads(state.tobytes()) for state in states] == told


def test_a_process_compiles_once_it_has_done_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns._Process, "rows", 0)
    monkeypatch.setattr(columns, "PAYS_FROM", 5)
    assert columns._compiled(4) is None
    assert columns._compiled(1) is history


def test_a_record_of_another_layout_reads_as_blank() -> None:
    sound = Past(sessions=3)
    found = unpacked(PAST_LAYOUT, [b"", memoryview(PAST_LAYOUT.dumps(sound)), b"of another layout"])
    assert [PAST_LAYOUT.loads(past.tobytes()) for past in found] == [Past(), sound, Past()]
    found["sessions"] = 1
    assert len(unpacked(STATE_LAYOUT, [])) == 0


def test_what_does_not_fit_is_refused_before_anything_is_read() -> None:
    states, pasts, places = np.zeros(2, STATE), np.zeros(2, PAST), np.array([0, 2])
    with pytest.raises(ValueError, match="each of 2 states needs one past and one moment: 2, 1"):
        vectors(states, pasts, places[:1])
    for wrong in (places, places - 1, places[:1]):
        with pytest.raises(ValueError, match="each of 2 states needs a place among 2 pasts"):
            tell_all(pasts, wrong, states)
