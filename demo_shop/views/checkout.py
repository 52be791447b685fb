"""The checkout's three steps and its end. A step that lacks an earlier one leads back to it and says so."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from demo_shop import acts, delivery, orders
from demo_shop import checkout as checkouts
from demo_shop.basket import Basket
from demo_shop.checkout import STEPS, Checkout
from demo_shop.forms import AddressForm, PaymentForm
from demo_shop.models import Order
from demo_shop.refusals import Refused

__all__ = ["address", "confirmation", "payment", "review"]

_Step = Callable[[HttpRequest, Basket, Checkout], HttpResponse]

_MISSED = {
    "checkout_address": "Please give your address first.",
    "checkout_payment": "Please choose how to pay first.",
}


def _step(name: str) -> Callable[[_Step], Callable[[HttpRequest], HttpResponse]]:
    """Let a step happen only with a basket that can be ordered and the steps before it done."""

    def decorated(view: _Step) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def stepped(request: HttpRequest) -> HttpResponse:
            placed = _placed_already(request)
            if placed is not None:
                return redirect("confirmation", placed.number)
            basket = acts.basket_of(request)
            if not basket.can_be_ordered:
                messages.warning(request, _obstacle(basket))
                return redirect("basket")
            missing = checkouts.missing_step(checkouts.current(request.session), before=name)
            if missing is not None:
                messages.warning(request, _MISSED[missing])
                return redirect(missing)
            return view(request, basket, acts.begin_checkout(request, basket))

        return stepped

    return decorated


def _obstacle(basket: Basket) -> str:
    if not basket.lines:
        return "Your basket is empty, so there is nothing to check out yet."
    return "Something in your basket cannot be had as it stands. Please look below."


def _placed_already(request: HttpRequest) -> Order | None:
    """Return the order of a form that is sent a second time, if this browser placed it."""
    try:
        attempt = uuid.UUID(request.POST.get("attempt", ""))
    except ValueError:
        return None
    order = orders.by_attempt(attempt)
    return order if order is not None and order.number in acts.placed_here(request) else None


def _shown(request: HttpRequest, name: str, basket: Basket, **shown: Any) -> HttpResponse:
    if request.method == "GET":
        acts.tell_of_step(request, name, basket)
    place = [step for step, _ in STEPS].index(name)
    steps = [(url, words, index) for index, (url, words) in enumerate(STEPS)]
    context = {"basket": basket, "steps": steps, "place": place, "arrives": delivery.window(timezone.localdate())}
    return render(request, f"shop/{name}.html", context | shown)


@_step("checkout_address")
def address(request: HttpRequest, basket: Basket, checkout: Checkout) -> HttpResponse:
    """Ask where the order goes."""
    form = AddressForm(
        request.POST if request.method == "POST" else None, initial=dict(checkout.address) or _known_address(request)
    )
    if request.method == "POST" and form.is_valid():
        acts.give_address(request, checkout, form.cleaned_data)
        return redirect("checkout_review" if checkout.payment else "checkout_payment")
    return _shown(request, "checkout_address", basket, form=form)


def _known_address(request: HttpRequest) -> dict[str, str]:
    """Return where the signed-in shopper's last order went, or what the account tells."""
    if not request.user.is_authenticated:
        return {}
    last = Order.objects.filter(user=request.user).first()
    if last is None:
        return {"name": request.user.get_full_name(), "email": request.user.email}
    return {name: getattr(last, name) for name in AddressForm.base_fields}


@_step("checkout_payment")
def payment(request: HttpRequest, basket: Basket, checkout: Checkout) -> HttpResponse:
    """Ask how the order would be paid; nothing is."""
    form = PaymentForm(
        request.POST if request.method == "POST" else None, initial={"payment": checkout.payment or None}
    )
    if request.method == "POST" and form.is_valid():
        acts.choose_payment(request, checkout, form.cleaned_data["payment"], basket)
        return redirect("checkout_review")
    return _shown(request, "checkout_payment", basket, form=form)


@_step("checkout_review")
def review(request: HttpRequest, basket: Basket, checkout: Checkout) -> HttpResponse:
    """Show all that was given; a POST of exactly this places the order."""
    problem = ""
    if request.method == "POST":
        try:
            if request.POST.get("attempt") != str(checkout.attempt):
                raise Refused("This page is from an earlier checkout. Please look again.", code="stale")
            order = acts.place_order(request, checkout, seen=request.POST.get("seen", ""), now=timezone.now())
        except Refused as refused:
            problem = refused.message
            basket = acts.basket_of(request)
        else:
            return redirect("confirmation", order.number)
    form = AddressForm(initial=dict(checkout.address))
    shown = {
        "checkout": checkout,
        "country": dict(form.fields["country"].choices)[checkout.address["country"]],  # type: ignore[attr-defined]
        "paid_by": Order.Payment(checkout.payment).label,
        "seen": checkouts.fingerprint(basket),
        "problem": problem,
    }
    return _shown(request, "checkout_review", basket, **shown)


@never_cache
@require_safe
def confirmation(request: HttpRequest, number: str) -> HttpResponse:
    """Thank for an order, to whoever placed it and nobody else."""
    order = orders.readable(number, user_id=request.user.pk, numbers=acts.placed_here(request))
    if order is None:
        raise Http404("no order of this shopper has that number")
    acts.tell_of_order(request, order)
    first, last = delivery.window(timezone.localdate(order.placed_at))
    return render(request, "shop/confirmation.html", {"order": order, "arrives": (first, last)})
