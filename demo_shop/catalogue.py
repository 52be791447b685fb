"""Finding products: the shelves, filters, sorting, search, and what goes with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, zip_longest
from types import MappingProxyType

from django.db.models import Q, QuerySet

from demo_shop.models import Product

__all__ = ["PAGE_SIZE", "SORTS", "Wanted", "brands", "gifts", "popular", "products", "related", "sorted_by"]

PAGE_SIZE = 24
"""Products on a page: whole rows of two, three and four."""

SORTS = MappingProxyType(
    {
        "popular": ("Popular", ("-popularity", "pk")),
        "price": ("Lowest price", ("price", "pk")),
        "-price": ("Highest price", ("-price", "pk")),
        "name": ("A to Z", ("name", "pk")),
    }
)
"""Name in the address: words for it, and the order in the database. The first is the default."""

_LONGEST_QUERY = 100
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a shopper asks to see. Empty means no limit; prices are in euros, both ends included."""

    department: str = ""
    category: str = ""
    query: str = ""
    brands: tuple[str, ...] = field(default=())
    lowest: Decimal | None = None
    highest: Decimal | None = None
    in_stock: bool = False


def products(wanted: Wanted) -> QuerySet[Product]:
    """Return the products on sale that are wanted, in no order yet."""
    found = _on_sale().filter(_place(wanted), _spelled(wanted.query))
    if wanted.brands:
        found = found.filter(brand__in=wanted.brands)
    if wanted.lowest is not None:
        found = found.filter(price__gte=wanted.lowest)
    if wanted.highest is not None:
        found = found.filter(price__lte=wanted.highest)
    if wanted.in_stock:
        found = found.filter(stock__gt=0)
    return found


def brands(wanted: Wanted) -> list[str]:
    """Return the brands there are in the wanted place, whatever else is filtered."""
    there = Product.objects.filter(_place(wanted), _spelled(wanted.query), on_sale=True).exclude(brand="")
    return list(there.order_by("brand").values_list("brand", flat=True).distinct())


def sorted_by(found: QuerySet[Product], sort: str) -> QuerySet[Product]:
    """Put products in the order that the address names; an unknown name is the default."""
    _, order = SORTS.get(sort, SORTS["popular"])
    return found.order_by(*order)


def popular(count: int) -> list[Product]:
    """Return the favourites that can be had, the departments taking turns."""
    found = _on_sale().filter(stock__gt=0).order_by("-popularity", "price", "pk")[: count * 4]
    shelves: dict[int, list[Product]] = {}
    for product in found:
        shelves.setdefault(product.category.department_id, []).append(product)
    turns = chain.from_iterable(zip_longest(*shelves.values()))
    return [product for product in turns if product is not None][:count]


def gifts(most: Decimal, count: int) -> list[Product]:
    """Return well-liked things of at most so many euros."""
    liked = _on_sale().filter(stock__gt=0, price__lte=most, popularity__lt=1)
    return list(liked.order_by("-popularity", "pk")[:count])


def related(product: Product, count: int) -> list[Product]:
    """Return what lies on the same shelf, best liked first, what is sold out left out."""
    shelf = _on_sale().filter(category_id=product.category_id, stock__gt=0).exclude(pk=product.pk)
    return list(shelf.order_by("-popularity", "pk")[:count])


def _on_sale() -> QuerySet[Product]:
    return Product.objects.filter(on_sale=True).select_related("category__department")


def _place(wanted: Wanted) -> Q:
    place = Q()
    if wanted.department:
        place &= Q(category__department__slug=wanted.department)
    if wanted.category:
        place &= Q(category__slug=wanted.category)
    return place


def _spelled(query: str) -> Q:
    """Every word has to be found somewhere; a plural finds its singular."""
    found = Q()
    for word in query[:_LONGEST_QUERY].split()[:_MOST_WORDS]:
        stem = word[:-1] if len(word) > 3 and word.lower().endswith("s") else word
        found &= (
            Q(name__icontains=stem)
            | Q(brand__icontains=stem)
            | Q(category__name__icontains=stem)
            | Q(category__words__icontains=stem)
            | Q(category__department__name__icontains=stem)
        )
    return found
