"""Making an account, signing in and signing out."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from demo_shop.walking.tally import Refusal
from demo_shop.walking.trip import Trip

__all__ = ["come_in", "register", "sign_out"]


def come_in(trip: Trip) -> None:
    """Sign in, with an account made for it where there is none yet; the shopper comes back to the page shown."""
    if trip.device.signed_in:
        return
    if trip.person.email in trip.accounts:
        _sign_in(trip, refused=Refusal.NOT_SIGNED_IN)
    else:
        register(trip)


def register(trip: Trip) -> None:
    """Make an account, which signs in too; one made in an earlier walk is signed in to."""
    if trip.device.signed_in:
        return
    onward = trip.browser.answer.path
    page = trip.look(_with_next("register", onward)).page
    form = page.form_with("email", "password1")
    if form is None:
        trip.tally.refuse(Refusal.NO_ACCOUNT)
        return
    secret = trip.person.password
    given = {"first_name": trip.person.first_name, "email": trip.person.email}
    trip.browser.submit(form, given | {"password1": secret, "password2": secret})
    trip.accounts.add(trip.person.email)
    if trip.here == reverse("register"):
        _sign_in(trip, refused=Refusal.NO_ACCOUNT, onward=onward)
        return
    trip.device.signed_in = True
    trip.tally.count("accounts")


def sign_out(trip: Trip) -> None:
    """Sign out, from the account's page."""
    if not trip.device.signed_in:
        return
    page = trip.look(reverse("account")).page
    form = next((each for each in page.posting() if each.action == reverse("sign_out")), None)
    trip.device.signed_in = False
    if form is not None:
        trip.browser.submit(form, {})
        trip.tally.count("sign_outs")


def _sign_in(trip: Trip, *, refused: Refusal, onward: str | None = None) -> None:
    onward = trip.browser.answer.path if onward is None else onward
    form = trip.look(_with_next("sign_in", onward)).page.form_with("username", "password")
    if form is not None:
        trip.browser.submit(form, {"username": trip.person.email, "password": trip.person.password})
        if trip.here != reverse("sign_in"):
            trip.device.signed_in = True
            trip.tally.count("sign_ins")
            return
    trip.tally.refuse(refused)


def _with_next(name: str, onward: str) -> str:
    return f"{reverse(name)}?{urlencode({'next': onward})}" if onward else reverse(name)
