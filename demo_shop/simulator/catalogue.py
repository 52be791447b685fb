"""The catalogue: products with prices, popularity and appeal, and the tables to draw from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from demo_shop.simulator.assortment import ASSORTMENT, FINISHES, Department, Shelf
from demo_shop.simulator.chance import Floats, Ints, join, mix, normal, uniform

__all__ = ["CATALOGUE_SEED", "Catalogue", "Product", "build_catalogue", "read_catalogue", "write_catalogue"]

CATALOGUE_SEED = 20
"""The shop's shelves are the same in every log; a log's own seed moves the shoppers alone."""

_PER_SHELF = 10
_ZIPF = 0.9  # popularity of the n-th best seller of a shelf is n^-0.9
_UNBRANDED = 0.06


@dataclass(frozen=True, slots=True)
class Product:
    """One article: `price` in euros, `popularity` relative within its shelf, `appeal` in standard deviations."""

    product_id: int
    name: str
    department: str
    shelf: str
    brand: str | None
    price: float
    popularity: float
    appeal: float

    @property
    def category_code(self) -> str:
        """The path of its category, '/'-separated."""
        return f"{self.department}/{self.shelf}"


class Catalogue:
    """The products in order of their shelves, as columns."""

    def __init__(self, products: tuple[Product, ...]) -> None:
        self.products = products
        self.departments = tuple(department.slug for department in ASSORTMENT)
        self.shelves = tuple((d.slug, s.slug) for d in ASSORTMENT for s in d.shelves)
        self.terms = tuple(term for d in ASSORTMENT for s in d.shelves for term in s.terms)
        self.price = np.array([product.price for product in products])
        self.appeal = np.array([product.appeal for product in products])
        self.popularity = np.array([product.popularity for product in products])
        codes = {pair: index for index, pair in enumerate(self.shelves)}
        self.shelf = np.array([codes[product.department, product.shelf] for product in products], dtype=np.int64)
        of = {slug: index for index, slug in enumerate(self.departments)}
        self.department_of_shelf = np.array([of[department] for department, _ in self.shelves], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.products)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The '/'-separated path of each shelf."""
        return tuple("/".join(pair) for pair in self.shelves)

    @cached_property
    def spans(self) -> tuple[Ints, Ints]:
        """First product of each shelf, and the one after its last."""
        shelves = np.arange(len(self.shelves))
        return np.searchsorted(self.shelf, shelves, "left"), np.searchsorted(self.shelf, shelves, "right")

    def edges(self, seed: int, months: int) -> Floats:
        """Cumulated popularity, flat [months * (products + 1)] and rising: month m runs from m to m + 1.

        Each month's fashions lie a little apart (log-normal, 0.35).
        """
        number = np.arange(months)[:, None] * 100_000 + np.arange(len(self))[None, :]
        keys = join(mix(np.full(number.shape, seed, dtype=np.uint64)), number)
        weights: Floats = self.popularity * np.exp(0.35 * normal(keys, 1))
        summed = weights.cumsum(axis=1)
        edges: Floats = np.concatenate([np.zeros((months, 1)), summed / summed[:, -1:]], axis=1)
        edges += np.arange(months)[:, None]
        return edges.ravel()


def _shelf_products(department: Department, shelf: Shelf, number: int) -> Iterator[Product]:
    keys = join(mix(np.full(_PER_SHELF, CATALOGUE_SEED, dtype=np.uint64)), number * _PER_SHELF + np.arange(_PER_SHELF))
    prices = shelf.median * np.exp(department.spread * normal(keys, 1))
    ranks = np.argsort(uniform(keys, 2))
    appeals = normal(keys, 3)
    draws = np.stack([uniform(keys, purpose) for purpose in (4, 5, 6)], axis=1)
    for index in range(_PER_SHELF):
        noun = shelf.nouns[index % len(shelf.nouns)]
        # One step through the finishes for each product keeps names apart within a shelf.
        finish = FINISHES[(number * 5 + index) % len(FINISHES)]
        brand = department.brands[int(draws[index, 1] * len(department.brands))]
        branded = draws[index, 2] > _UNBRANDED
        yield Product(
            product_id=1_000_000 + number * 1_000 + index * 37,
            name=f"{brand} {finish} {noun}" if branded else f"{finish} {noun}",
            department=department.slug,
            shelf=shelf.slug,
            brand=brand if branded else None,
            price=float(max(np.floor(prices[index]), 2.0) + 0.99),
            popularity=float(np.round((ranks[index] + 1.0) ** -_ZIPF, 6)),
            appeal=float(np.round(appeals[index], 4)),
        )


def build_catalogue() -> Catalogue:
    """The shop's own catalogue: 250 products on 25 shelves."""
    products: list[Product] = []
    number = 0
    for department in ASSORTMENT:
        for shelf in department.shelves:
            products.extend(_shelf_products(department, shelf, number))
            number += 1
    return Catalogue(tuple(products))


def write_catalogue(catalogue: Catalogue, path: Path) -> None:
    """Write the products as JSON, one object each."""
    rows = [asdict(product) for product in catalogue.products]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_catalogue(path: Path) -> Catalogue:
    """Read what `write_catalogue` wrote."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return Catalogue(tuple(Product(**row) for row in rows))
