"""Numbers of the simulator as the strings and ids a log shows, as Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo_shop.simulator.chance import Ints, Keys, mix

__all__ = ["category_ids", "labels", "session_ids", "text_ids", "user_numbers", "words"]

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_USER_BITS = 43
_USER_MULTIPLIER = 3_935_559_000_370_003_845 % 2**_USER_BITS  # odd, so that it permutes the numbers of that many bits


def words(numbers: Keys) -> NDArray[np.uint8]:
    """Sixteen hexadecimal digits of each number, as bytes [n, 16]."""
    octets = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    digits = np.empty((len(numbers), 16), dtype=np.uint8)
    digits[:, 0::2] = _HEX[octets >> 4]
    digits[:, 1::2] = _HEX[octets & 15]
    return digits


def text_ids(numbers: Keys) -> pa.Array:
    """The hexadecimal spelling of each number."""
    return _strings(words(numbers))


def session_ids(sessions: Ints, salt: Keys) -> pa.DictionaryArray:
    """A UUID for each session number, in the spelling of the REES46 log; another `salt` gives others."""
    distinct, codes = np.unique(sessions, return_inverse=True)
    keys = distinct.astype(np.uint64) + salt
    digits = np.concatenate([words(mix(keys)), words(mix(keys ^ np.uint64(0xA5A5_A5A5_5A5A_5A5A)))], axis=1)
    spelled = np.full((len(distinct), 36), ord("-"), dtype=np.uint8)
    spelled[:, [i for i in range(36) if i not in (8, 13, 18, 23)]] = digits
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), _strings(spelled))


def user_numbers(users: Ints, salt: Keys) -> Ints:
    """Ids that tell neither when a visitor first came nor which cookies are one person's: a permutation by `salt`."""
    mask = np.uint64(2**_USER_BITS - 1)
    spread = (users.astype(np.uint64) ^ salt) & mask
    for _ in range(2):
        spread = (spread * np.uint64(_USER_MULTIPLIER)) & mask
        spread ^= spread >> np.uint64(21)
    return spread.astype(np.int64) + 10**9


def category_ids(shelves: int) -> Ints:
    """A large number for each shelf, as the REES46 log has them."""
    spread = mix(np.arange(1, shelves + 1).astype(np.uint64)) >> np.uint64(24)
    return np.asarray(2_053_013_552_000_000_000 + spread.astype(np.int64), dtype=np.int64)


def labels(codes: NDArray[np.integer], names: Sequence[str | None]) -> pa.DictionaryArray:
    """Names by code; a negative code, or the code of a None, is null."""
    distinct = [name for name in dict.fromkeys(names) if name is not None]
    place = {name: index for index, name in enumerate(distinct)}
    known = np.array([place.get(name, -1) if name is not None else -1 for name in names], dtype=np.int32)
    found = np.where(codes < 0, -1, known[np.maximum(codes, 0)])
    return pa.DictionaryArray.from_arrays(pa.array(found, mask=found < 0), pa.array(distinct, pa.string()))


def _strings(spelled: NDArray[np.uint8]) -> pa.Array:
    count, width = spelled.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(spelled)))
