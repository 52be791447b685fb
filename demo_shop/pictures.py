"""Pictures of products, drawn: a shape for what it is, two colours and a pattern from its number."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree as ET

__all__ = ["EMBLEMS", "draw", "shapes"]

_FOLDER = Path(__file__).parent / "drawing"
_INK = "#26302d"
_PAPER = "#fffaf2"

# Ground, main and second colour.
_PALETTES = MappingProxyType(
    {
        "electronics": (
            ("#e3eaf2", "#4a6fa5", "#a9c3e4"),
            ("#e9e6f3", "#6b5b95", "#c2b6e3"),
            ("#dfeeee", "#2f7f86", "#9fd3cf"),
            ("#eceef0", "#5b6673", "#b9c4cf"),
            ("#f3eadf", "#c77d3c", "#f0c893"),
            ("#e4ede3", "#4f8a5b", "#aed6ae"),
        ),
        "fashion": (
            ("#f5e8e2", "#b85c46", "#eeb9a2"),
            ("#e6e9f0", "#3d4f7c", "#a8b5d8"),
            ("#f4eeda", "#b98a22", "#ecd28a"),
            ("#ebeae4", "#6f6a58", "#c9c2a8"),
            ("#f3e5ea", "#a2476b", "#e3a8bf"),
            ("#e3ece6", "#3f7058", "#a5cdb6"),
        ),
        "home": (
            ("#e8ede2", "#6d8a5a", "#bfd2a9"),
            ("#f4e9df", "#b0643f", "#e8bd9b"),
            ("#f3efe0", "#a98a3d", "#e2cf95"),
            ("#e4ebee", "#4f7587", "#abc9d4"),
            ("#eee6e3", "#8a5a52", "#d3aea5"),
            ("#e9e8f0", "#66648f", "#bbb9da"),
        ),
        "sports": (
            ("#dff0ee", "#12807a", "#8fd8cc"),
            ("#fbe9dd", "#d2622a", "#f7b88d"),
            ("#e5ecf8", "#2f62b5", "#9dbdf0"),
            ("#eef3da", "#74902a", "#cbdd86"),
            ("#fae6e8", "#c43c4e", "#f3a4ad"),
            ("#eae7f4", "#6a4fae", "#bcaae8"),
        ),
        "beauty": (
            ("#f8e7ea", "#b8566f", "#efb3c1"),
            ("#efe7f3", "#85599c", "#d0b2de"),
            ("#fbeade", "#c9764d", "#f5c2a3"),
            ("#e6efe8", "#5a8a70", "#b2d6c1"),
            ("#f5eee0", "#a5823f", "#e4cd98"),
            ("#e5edf1", "#4c7d96", "#a9cfe0"),
        ),
    }
)

EMBLEMS = MappingProxyType(
    {"electronics": "headphones", "fashion": "wool-coat", "home": "armchair", "sports": "tent", "beauty": "cologne"}
)
"""The shape that stands for each department."""

# Width of a square tile, and what is on it.
_PATTERNS = (
    (26, '<circle cx="13" cy="13" r="4.5" fill="{b}"/>'),
    (22, '<rect width="8" height="22" fill="{b}"/>'),
    (30, '<path d="M0 0h15v15H0zM15 15h15v15H15z" fill="{b}" opacity=".55"/>'),
    (32, '<path d="M0 16q8-12 16 0t16 0" fill="none" stroke="{b}" stroke-width="5"/>'),
    (30, '<path d="M15 8v14M8 15h14" stroke="{b}" stroke-width="4" stroke-linecap="round"/>'),
    (28, '<path d="M14 4l10 10-10 10L4 14z" fill="{b}" opacity=".8"/>'),
    (200, ""),
)

_GROUNDS = (
    '<circle cx="200" cy="206" r="156" fill="{b}" opacity=".42"/>',
    '<path d="M70 400V196a130 130 0 0 1 260 0v204z" fill="{b}" opacity=".42"/>',
    '<path d="M0 268h400v132H0z" fill="{b}" opacity=".42"/>',
    '<path d="M206 42c96-8 152 60 150 150s-42 164-150 162S40 300 44 204 112 50 206 42z" fill="{b}" opacity=".42"/>',
    '<path d="M0 400L400 60v340z" fill="{b}" opacity=".34"/>',
)


@cache
def shapes(department: str) -> dict[str, str]:
    """Return the shapes of a department by name; none where it is unknown.

    They are SVG with `{a}` and `{b}` for the colours, `{p}` for the pattern, `{d}` and `{l}` for dark and light.
    """
    if department not in _PALETTES:
        return {}
    root = ET.parse(_FOLDER / f"{department}.xml").getroot()  # noqa: S314 (our own file)
    return {
        shape.attrib["name"]: "".join(ET.tostring(part, encoding="unicode").strip() for part in shape) for shape in root
    }


def draw(department: str, shape: str, number: int) -> str | None:
    """Return the picture of a product as an SVG of 400 by 400, or None where there is no such shape."""
    drawn = shapes(department).get(shape)
    if drawn is None:
        return None
    dice = hashlib.sha256(f"{department}/{number}".encode()).digest()
    palettes = _PALETTES[department]
    ground, main, second = palettes[dice[0] % len(palettes)]
    size, motif = _PATTERNS[dice[1] % len(_PATTERNS)]
    colours = {"a": main, "b": second, "p": "url(#p)", "d": _INK, "l": _PAPER}
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">'
        f'<defs><pattern id="p" width="{size}" height="{size}" patternUnits="userSpaceOnUse"'
        f' patternTransform="rotate({(0, 45, 20, 90)[dice[2] % 4]})">'
        f'<rect width="{size}" height="{size}" fill="{main}"/>{motif.format(**colours)}</pattern></defs>'
        f'<rect width="400" height="400" fill="{ground}"/>'
        f"{_GROUNDS[dice[3] % len(_GROUNDS)].format(**colours)}"
        f'<ellipse cx="200" cy="332" rx="120" ry="10" fill="{_INK}" opacity=".1"/>'
        f"{drawn.format(**colours)}</svg>"
    )
