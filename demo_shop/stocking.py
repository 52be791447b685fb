"""Filling the shelves from the catalogue's file: again and again with the same result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from demo_shop import pictures
from demo_shop.models import Category, Department, Product
from demo_shop.refusals import Refused
from demo_shop.shelves import DEPARTMENT_LINES, STORIES, title
from demo_shop.simulator.assortment import ASSORTMENT

__all__ = ["CATALOGUE", "Stocked", "load", "stock_of"]

CATALOGUE = Path(__file__).resolve().parent.parent / "fixtures" / "catalogue.json"

_FIELDS = ("product_id", "name", "department", "shelf", "brand", "price", "popularity")


@dataclass(frozen=True, slots=True)
class Stocked:
    """How much there is after a load."""

    departments: int
    categories: int
    products: int


def stock_of(number: int) -> int:
    """Return how many pieces of a product the demo begins with: nearly always plenty, at times few or none."""
    dice = hashlib.sha256(f"stock/{number}".encode()).digest()
    if dice[0] < 8:
        return 0
    if dice[0] < 22:
        return 1 + dice[1] % 5
    return 60 + dice[1]


@transaction.atomic
def load(path: Path, *, restock: bool = False) -> Stocked:
    """Write the catalogue's departments, categories and products. What is there already is brought up to date.

    Stock is left as it is, where a product is there already, unless `restock`. Products that are no longer in the file
    are taken off sale, not deleted.

    Raises:
        Refused: the file cannot be read, an entry lacks a field or is no product, or two are the same. Nothing is
            written then.
    """
    rows = _rows(path)
    shelves = _shelves(rows)
    Product.objects.bulk_create(
        [_product(row, shelves[row["department"], row["shelf"]]) for row in rows],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["slug", "name", "brand", "category", "shape", "price", "popularity", "on_sale"]
        + (["stock"] if restock else []),
        batch_size=500,
    )
    Product.objects.exclude(pk__in=[row["product_id"] for row in rows]).update(on_sale=False)
    return Stocked(Department.objects.count(), Category.objects.count(), len(rows))


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path} is no catalogue that can be read: {error}", code="catalogue") from error
    if not isinstance(rows, list) or not rows:
        raise Refused(f"{path} holds no list of products.", code="catalogue")
    for place, row in enumerate(rows, start=1):
        lacking = [name for name in _FIELDS if not isinstance(row, dict) or name not in row]
        if lacking:
            raise Refused(f"{path}: product {place} has no {lacking[0]}.", code="catalogue")
        if not isinstance(row["product_id"], int) or not isinstance(row["price"], int | float) or row["price"] < 0.01:
            raise Refused(f"{path}: product {place} needs a whole product_id and a price above 0.", code="catalogue")
    _once([row["product_id"] for row in rows], "product_id", path)
    _once([slugify(row["name"])[:80] for row in rows], "name", path)
    return rows


def _once(values: Sequence[object], field: str, path: Path) -> None:
    twice = next((value for value, count in Counter(values).items() if count > 1), None)
    if twice is not None:
        raise Refused(f"{path}: two products have the {field} {twice}.", code="catalogue")


def _shelves(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Category]:
    slugs = list(dict.fromkeys(row["department"] for row in rows))
    Department.objects.bulk_create(
        [
            Department(slug=slug, name=title(slug), line=DEPARTMENT_LINES.get(slug, ""), position=place)
            for place, slug in enumerate(slugs)
        ],
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["name", "line", "position"],
    )
    departments = {each.slug: each for each in Department.objects.all()}
    words = {(part.slug, shelf.slug): ", ".join(shelf.terms) for part in ASSORTMENT for shelf in part.shelves}
    pairs = list(dict.fromkeys((row["department"], row["shelf"]) for row in rows))
    Category.objects.bulk_create(
        [
            Category(
                department=departments[department],
                slug=slug,
                name=title(slug),
                words=words.get((department, slug), ""),
                story=STORIES.get(slug, ""),
                position=place,
            )
            for place, (department, slug) in enumerate(pairs)
        ],
        update_conflicts=True,
        unique_fields=["department", "slug"],
        update_fields=["name", "words", "story", "position"],
    )
    return {(each.department.slug, each.slug): each for each in Category.objects.select_related("department")}


def _product(row: dict[str, Any], category: Category) -> Product:
    return Product(
        id=row["product_id"],
        slug=slugify(row["name"])[:80],
        name=row["name"],
        brand=row["brand"] or "",
        category=category,
        shape=_shape(row["department"], row["name"]),
        price=Decimal(str(row["price"])),
        stock=stock_of(row["product_id"]),
        popularity=row["popularity"],
    )


def _shape(department: str, name: str) -> str:
    """Return the longest shape that the name ends in; else the department's first, so that there is a picture."""
    slug = slugify(name)
    known = pictures.shapes(department)
    ends = sorted((shape for shape in known if slug.endswith(shape)), key=len)
    return ends[-1] if ends else next(iter(known), "")
