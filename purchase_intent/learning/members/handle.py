"""One row through LightGBM by its own function for single rows, which its Python package does not offer.

The package's call checks and copies what it is given, which takes longer than the trees. The function is set up once
for rows of one width, and takes a lock of its own: several threads may ask (LightGBM's C API, `...SingleRowFast`).
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, Final

import numpy as np

from purchase_intent.learning.members.rows import PROBES, Row
from purchase_intent.learning.table import Matrix

__all__ = ["Handle", "far_and_wide"]

_RAW_SCORE: Final = 1
_FLOAT32: Final = 0
_ALL: Final = -1


class Handle:
    """The margin of a row of `width` values, by one booster, with one thread.

    Raises LookupError where the library has no such function, and what `library` raises where it refuses.
    """

    def __init__(self, library: Any, booster: Any, width: int) -> None:
        try:
            functions, check, handle = library.basic._LIB, library.basic._safe_call, booster._handle  # noqa: SLF001
            begin, free = functions.LGBM_BoosterPredictForMatSingleRowFastInit, functions.LGBM_FastConfigFree
            self._ask = functions.LGBM_BoosterPredictForMatSingleRowFast
        except AttributeError as missing:
            raise LookupError(f"lightgbm has it no more: {missing}") from missing
        self._booster, self._check, self._config = booster, check, ctypes.c_void_p()
        told = ctypes.c_int(_RAW_SCORE), ctypes.c_int(0), ctypes.c_int(_ALL), ctypes.c_int(_FLOAT32)
        check(begin(handle, *told, ctypes.c_int32(width), b"num_threads=1 verbosity=-1", ctypes.byref(self._config)))
        # Not at the end of a process: it gives back what it has by itself, and a child that was forked must not ask.
        weakref.finalize(self, free, self._config).atexit = False

    def __call__(self, row: Row) -> float:
        """The margin of a row of `width` values."""
        values = np.ascontiguousarray(row, np.float32)
        found, length = ctypes.c_double(), ctypes.c_int64()
        place = ctypes.c_void_p(values.__array_interface__["data"][0])
        self._check(self._ask(self._config, place, ctypes.byref(length), ctypes.byref(found)))
        return found.value


def far_and_wide(width: int) -> Matrix:
    """Rows to try it on: values of every size and sign, every fifth unknown."""
    draw = np.random.default_rng(0)
    rows = draw.standard_normal((PROBES, width)) * 10.0 ** draw.uniform(-2, 5, (PROBES, width))
    rows[draw.random(rows.shape) < 0.2] = np.nan
    return rows.astype(np.float32)
