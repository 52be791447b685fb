"""The basket's page and the two things one does there."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from demo_shop import acts, catalogue, offers
from demo_shop.basket import Basket
from demo_shop.forms import ChangeForm
from demo_shop.models import CartLine, Product
from demo_shop.refusals import Refused

__all__ = ["basket", "change", "remove"]


@never_cache
@require_safe
def basket(request: HttpRequest) -> HttpResponse:
    """Show what is in the basket and what it comes to."""
    found = acts.basket_of(request)
    acts.tell_of_basket(request, found)
    return _shown(request, replace(found, free_delivery=offers.consider(request, found)))


@require_POST
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Have another quantity of a product; what cannot be is said beside its field, and nothing changes."""
    product = get_object_or_404(Product, pk=number)
    form = ChangeForm(request.POST, auto_id=f"line-{number}-%s")
    if form.is_valid():
        try:
            acts.change_quantity(request, product, form.cleaned_data["quantity"])
        except Refused as refused:
            form.add_error("quantity", refused.message)
        else:
            messages.success(request, "Your basket is up to date.")
            return redirect("basket")
    return _shown(request, acts.basket_of(request), wrong=(number, form))


@require_POST
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Take a product out; out already is fine as well."""
    product = get_object_or_404(Product, pk=number)
    if acts.remove_from_basket(request, product):
        messages.success(request, f"Removed: {product.name}")
    return redirect("basket")


def _shown(request: HttpRequest, found: Basket, wrong: tuple[int, ChangeForm] | None = None) -> HttpResponse:
    forms = [(line, _form(line, wrong)) for line in found.lines]
    missed = wrong[1] if wrong and wrong[0] not in {line.product_id for line in found.lines} else None
    shown = {"basket": found, "lines": forms, "missed": missed}
    if not found.lines:
        shown["popular"] = catalogue.popular(4)
    return render(request, "shop/basket.html", shown)


def _form(line: CartLine, wrong: tuple[int, ChangeForm] | None) -> ChangeForm:
    if wrong and wrong[0] == line.product_id:
        return wrong[1]
    return ChangeForm(initial={"quantity": line.quantity}, auto_id=f"line-{line.product_id}-%s")
