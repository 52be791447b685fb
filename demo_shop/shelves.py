"""What the catalogue's file leaves out: names and lines for people, and how much of each product there is."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["DEPARTMENT_LINES", "STORIES", "title"]

DEPARTMENT_LINES = MappingProxyType(
    {
        "electronics": "Clever things that last, and cables that fit",
        "fashion": "Made to be worn often",
        "home": "For rooms one likes to come back to",
        "sports": "For the first mile and the hundredth",
        "beauty": "Small rituals, kind to the skin",
    }
)

STORIES = MappingProxyType(
    {
        "phones": "Bright in the sun, through the day on one charge, and with updates for seven years.",
        "laptops": "Quiet, light enough for the train, and with a keyboard that is good to write on.",
        "audio": "Tuned by ear for warm voices and a bass that stays polite.",
        "wearables": "Counts steps, sleep and heartbeats, and keeps them to itself.",
        "accessories": "The small part that everything else depends on, made to be bent and pulled.",
        "shirts": "Soft from the first day, cut straight, with seams that lie flat.",
        "dresses": "Falls easily, has pockets, and needs no iron after a day in a suitcase.",
        "shoes": "Built on a wide last, with soles that can be replaced.",
        "coats": "Keeps wind and rain out and still breathes on the stairs.",
        "bags": "Room for a day, a place for keys, and straps that stay on the shoulder.",
        "kitchen": "Sits well in the hand, works on every stove, and gets better with use.",
        "lighting": "Warm light without glare, and a shade that looks good switched off as well.",
        "bedding": "Woven densely from long fibres, washed once so that it is soft at once.",
        "furniture": "Solid wood and honest joints; comes flat and is up in twenty minutes.",
        "garden": "Made for mud, frost and being forgotten outside.",
        "running": "Light, with a springy ride and a heel that stays put.",
        "cycling": "Seen from afar, and not felt while riding.",
        "fitness": "For a corner of the living room: nothing rattles, nothing slips.",
        "outdoor": "Packs small, dries fast, and was tested in a wet week in the hills.",
        "swimming": "Seals well, does not mind chlorine, and dries on the way home.",
        "skincare": "Short list of ingredients, no perfume, made in small batches.",
        "makeup": "Stays where it is put until evening, and comes off with water.",
        "fragrance": "Opens with citrus, stays with cedar, and never enters a room before you.",
        "haircare": "Cleans gently and leaves hair light; the bottle can be refilled.",
        "tools": "Runs quietly, rests well in the hand, and has parts that can be replaced.",
    }
)


def title(slug: str) -> str:
    """Return the name of a department or category: `makeup` is spelled as shops spell it."""
    return {"makeup": "Make-up"}.get(slug, slug.replace("-", " ").capitalize())
