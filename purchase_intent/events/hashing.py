"""Strings become numbers before the fold: one stable hash, the same in Python and in DuckDB.

MD5 is used for its spread and its presence everywhere, not for security: DuckDB computes the same number as
`md5_number_lower(text)`, reinterpreted as a signed 64-bit integer.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

__all__ = ["key_hash"]


@lru_cache(maxsize=65_536)
def key_hash(text: str | None) -> int:
    """A signed 64-bit hash of `text`; 0, which no text has, stands for None and the empty string."""
    if not text:
        return 0
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little", signed=True) or 1
