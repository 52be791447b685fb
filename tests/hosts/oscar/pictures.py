"""The shop has no pictures, and needs no library to make small ones of them."""

from __future__ import annotations

from types import SimpleNamespace

from oscar.core.thumbnails import AbstractThumbnailer

__all__ = ["NoPictures"]


class NoPictures(AbstractThumbnailer):  # type: ignore[misc]
    """Shows a picture as it is."""

    def generate_thumbnail(self, source: object, **options: object) -> SimpleNamespace:
        return SimpleNamespace(url=str(source))

    def delete_thumbnails(self, source: object) -> None:
        """Nothing was made."""
