"""The privacy choices: a page that says what is recorded, and the answer to the banner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from demo_shop import consent
from demo_shop.consent import Answer
from purchase_intent.tracking.consent import objects

__all__ = ["privacy"]

_SAID = {
    Answer.ACCEPTED: "Thank you. You can change this at any time under “Privacy choices”.",
    Answer.DECLINED: "Nothing is recorded. You can change this at any time under “Privacy choices”.",
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def privacy(request: HttpRequest) -> HttpResponse:
    """Show the choices; a POST of `answer` keeps one and goes back to the page it came from."""
    if request.method == "POST":
        given = request.POST.get("answer", "")
        if given not in _SAID:
            return render(request, "shop/privacy.html", {"unclear": True}, status=400)
        back = _back(request)
        if given == Answer.ACCEPTED:
            consent.keep_referrer(request, request.POST.get("referrer", ""), path=resolve_url(back))
        response = redirect(back)
        consent.keep(response, Answer(given), secure=request.is_secure())
        messages.info(request, _SAID[Answer(given)])
        return response
    shown = {"answer": consent.answer(request).value, "objects": objects(request)}
    return render(request, "shop/privacy.html", shown)


def _back(request: HttpRequest) -> str:
    """Return the page to go back to: one of this shop, never of another host."""
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    if not own or not wanted.startswith("/"):
        return "home"
    # What went wrong in the basket is shown at an address that only takes a POST.
    return "basket" if wanted.startswith(reverse("basket")) else wanted
