"""What the shop cannot do, in the shopper's words."""

from __future__ import annotations

__all__ = ["Refused"]


class Refused(Exception):
    """An act that cannot be done: `message` is for the shopper, `code` for programs."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
