"""Signing in and out, registering, and the orders of an account."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from demo_shop import acts, orders
from demo_shop.forms import RegisterForm, SignInForm

__all__ = ["account", "order", "register", "sign_in", "sign_out"]

sign_in = LoginView.as_view(
    template_name="shop/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
)
sign_out = LogoutView.as_view()


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Make an account and sign in; the basket comes along."""
    onward = _onward(request)
    if request.user.is_authenticated:
        return redirect(onward)
    form = RegisterForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        acts.tell_of_account(request, user)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        messages.success(request, f"Welcome, {user.first_name}.")
        return redirect(onward)
    return render(request, "shop/register.html", {"form": form, "next": onward})


def _onward(request: HttpRequest) -> str:
    """Return where to go afterwards: a page of this shop, never of another host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if own else "account"


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the shopper's orders."""
    user_id = acts.owner_of(request).user_id
    if user_id is None:
        return redirect_to_login(request.get_full_path())
    page = Paginator(orders.of_user(user_id), 10).get_page(request.GET.get("page"))
    return render(request, "shop/account.html", {"page": page})


@never_cache
@login_required
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    """Show one order of the shopper's."""
    found = orders.readable(number, user_id=request.user.pk, numbers=())
    if found is None:
        raise Http404("no order of this shopper has that number")
    return render(request, "shop/order.html", {"order": found})
