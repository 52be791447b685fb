"""Home, listings, search and product pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from demo_shop import acts, catalogue, delivery
from demo_shop.catalogue import SORTS, Wanted
from demo_shop.forms import FilterForm, QuantityForm
from demo_shop.models import Category, Department, Product
from demo_shop.refusals import Refused
from demo_shop.templatetags.shop import euros

__all__ = ["home", "listing", "product", "search"]

_GIFT_PRICE = Decimal(25)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the departments and what is liked."""
    shown = {"popular": catalogue.popular(8), "gifts": catalogue.gifts(_GIFT_PRICE, 4), "gift_price": _GIFT_PRICE}
    return render(request, "shop/home.html", shown)


@require_safe
def listing(request: HttpRequest, department: str = "", category: str = "") -> HttpResponse:
    """Show the products of the shop, a department or a category, filtered and sorted."""
    there = get_object_or_404(Department, slug=department) if department else None
    shelves = list(Category.objects.filter(department=there).select_related("department")) if there else []
    shelf = next((each for each in shelves if each.slug == category), None)
    if category and shelf is None:
        shelf = get_object_or_404(Category, department=there, slug=category)
    acts.tell_of_shelf(request, "/".join(filter(None, (department, category))))
    shown = _found(request, Wanted(department=department, category=category))
    shown |= {"department": there, "categories": shelves, "category": shelf}
    return render(request, "shop/listing.html", shown)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what a search finds, or ways out where it finds nothing."""
    query = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:100]
    shown = _found(request, Wanted(query=query)) if query else {}
    if query and set(request.GET) == {"q"}:
        acts.tell_of_search(request, query, shown["page"].paginator.count)
    if not query or not shown["page"].paginator.count:
        shown["popular"] = catalogue.popular(4)
    return render(request, "shop/search.html", shown | {"query": query})


def _found(request: HttpRequest, place: Wanted) -> dict[str, Any]:
    """Return the page of products, and the filters with which it was found."""
    form = FilterForm(request.GET, brands=catalogue.brands(place))
    form.is_valid()
    given = form.cleaned_data
    wanted = Wanted(
        department=place.department,
        category=place.category,
        query=place.query,
        brands=tuple(given.get("brand", ())),
        lowest=given.get("lowest"),
        highest=given.get("highest"),
        in_stock=given.get("stock", False),
    )
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else next(iter(SORTS))
    found = catalogue.sorted_by(catalogue.products(wanted), sort)
    return {
        "page": Paginator(found, catalogue.PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form,
        "filters": _words(wanted),
        "sort": sort,
        "sorts": [(name, words) for name, (words, _) in SORTS.items()],
    }


def _words(wanted: Wanted) -> list[str]:
    """Return each filter that is on, in words."""
    words = list(wanted.brands)
    if wanted.lowest is not None:
        words.append(f"from {euros(wanted.lowest)}")
    if wanted.highest is not None:
        words.append(f"up to {euros(wanted.highest)}")
    if wanted.in_stock:
        words.append("in stock")
    return words


@require_http_methods(["GET", "HEAD", "POST"])
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one product; a POST puts so many of it into the basket."""
    shown = get_object_or_404(Product.objects.select_related("category__department"), slug=slug, on_sale=True)
    if request.method == "GET":
        acts.tell_of_product(request, shown)
    form = QuantityForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            acts.add_to_basket(request, shown, form.cleaned_data["quantity"])
        except Refused as refused:
            form.add_error("quantity", refused.message)
        else:
            messages.success(request, shown.name, extra_tags="added")
            return redirect(shown)
    context = {
        "product": shown,
        "form": form,
        "related": catalogue.related(shown, 4),
        "arrives": delivery.window(timezone.localdate()),
        "free_from": delivery.FREE_FROM,
        "delivery_cost": delivery.cost(shown.price),
    }
    return render(request, "shop/product.html", context)
