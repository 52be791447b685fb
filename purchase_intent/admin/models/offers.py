"""Whom an offer pays for, at the desk: worked out for a version, and stored as the shop's rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from purchase_intent.adapters import current_shop
from purchase_intent.admin.lists import Desk
from purchase_intent.exceptions import IntentError
from purchase_intent.insights.offers import NARROW, offer_chart, score_rows
from purchase_intent.insights.ways import (
    ground_of,
    headline,
    in_force_words,
    reach_words,
    rule_words,
    subjects,
    ways,
)
from purchase_intent.insights.words import clock
from purchase_intent.learning import Calibration
from purchase_intent.learning.offers import NOBODY, Offer
from purchase_intent.models import Horizon, ModelVersion, OfferBy, OfferRule, Status
from purchase_intent.scoring import serving
from purchase_intent.scoring.offering import range_of

__all__ = ["OfferForm", "OfferPages"]

MOST_RULES: Final = 10
"""Rules of before that are shown."""
MOST_MONEY: Final = 1e9


class OfferForm(forms.Form):
    """What the shop knows of its offer; money in the shop's currency, shares in per cent."""

    margin = forms.FloatField(
        min_value=0,
        max_value=MOST_MONEY,
        required=False,
        label="Margin of an order",
        help_text="What an order earns before the offer.",
    )
    cost = forms.FloatField(
        min_value=0,
        max_value=MOST_MONEY,
        required=False,
        label="Cost of the offer",
        help_text="What an order made with it gives away.",
    )
    uplift = forms.FloatField(
        min_value=0,
        max_value=10_000,
        required=False,
        label="Assumed uplift, %",
        help_text="How many more buy, of those who hardly ever do. Only an experiment can tell.",
    )
    contact = forms.FloatField(
        min_value=0,
        max_value=MOST_MONEY,
        required=False,
        label="Cost of showing it",
        help_text="To one visitor, bought or not; often 0.",
    )
    precision = forms.FloatField(
        min_value=0.01,
        max_value=100,
        required=False,
        label="Precision, %",
        help_text="How many of those who get it are to buy.",
    )

    def offer(self) -> Offer | None:
        """The offer that is described; None where margin, cost or uplift is left out."""
        given = self.cleaned_data if self.is_valid() else {}
        if any(given.get(name) is None for name in ("margin", "cost", "uplift")):
            return None
        return Offer(
            margin=given["margin"],
            cost=given["cost"],
            odds_ratio=1 + given["uplift"] / 100,
            contact=given.get("contact") or 0.0,
        )

    def rule(self, by: str) -> OfferRule | None:
        """The rule to store, chosen by profit, precision or best F1; None where the form does not say enough."""
        rule = OfferRule(by=by)
        if by == OfferBy.BEST_F1:
            return rule
        if by == OfferBy.PRECISION:
            share = self.cleaned_data.get("precision") if self.is_valid() else None
            rule.precision = share / 100 if share is not None else None
            return rule if share is not None else None
        offer = self.offer() if by == OfferBy.PROFIT else None
        if offer is None:
            return None
        rule.margin, rule.cost, rule.contact, rule.odds_ratio = (
            offer.margin,
            offer.cost,
            offer.contact,
            offer.odds_ratio,
        )
        return rule


class OfferPages(Desk):
    """The page of a version on which an offer is worked out."""

    def offer_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Work an offer out (GET), and store the shop's rule or take it out of use (POST)."""
        version = ModelVersion.objects.filter(pk=key).first()
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        if version is None:
            raise Http404(f"There is no model {key}.")
        may_store = self.has_change_permission(request) and _serves_sessions(version)
        if request.method == "POST":
            if not may_store:
                raise PermissionDenied
            self._store(request, version)
            return HttpResponseRedirect(f"{_address(version)}")
        context = {"subtitle": f"Offers by model {key}", "may_store": may_store, **_page(version, request.GET)}
        return self.drawn(request, "admin/purchase_intent/offer.html", version, context)

    def _store(self, request: HttpRequest, version: ModelVersion) -> None:
        said, level = _stored(request.POST, version, who=str(request.user.get_username()))
        self.message_user(request, said, level)
        if level == messages.SUCCESS:
            self.log_change(request, version, said)
            serving.look_again()


def _stored(given: Mapping[str, Any], version: ModelVersion, *, who: str) -> tuple[str, int]:
    """Store what is asked for, or end what is in force; what is to be said of it, and how."""
    by = str(given.get("by", ""))
    if by == "none":
        return _ended(version)
    rule = OfferForm(given).rule(by)
    if rule is None:
        return "Nothing is stored: the offer is not described yet, or a figure is out of range.", messages.ERROR
    try:
        ground = ground_of(version)
        found = range_of(rule, ground.model, ground.shift)
    except IntentError as refused:
        return f"Nothing is stored: {refused.message}.", messages.ERROR
    if found == NOBODY:
        return "Nothing is stored: this offer would be for nobody.", messages.ERROR
    rule.horizon, rule.who, rule.begun_at = version.horizon, who[:200], timezone.now()
    try:
        OfferRule.objects.replace(rule)
    except IntegrityError:  # the database lets one of two who press at once through
        return "Nothing is stored: somebody stored another rule at the same moment. Look again.", messages.ERROR
    return (
        f"The offer is now for {reach_words(found)}, by {rule_words(rule)}. Pages follow within seconds.",
        messages.SUCCESS,
    )


def _ended(version: ModelVersion) -> tuple[str, int]:
    if not OfferRule.objects.end(version.horizon, now=timezone.now()):
        return "No offer was in use.", messages.WARNING
    return "The offer is out of use: no page shows it, within seconds.", messages.SUCCESS


def _page(version: ModelVersion, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows: the form, the ways to choose, the chart, and the rule in force."""
    rules = list(OfferRule.objects.of(version.horizon)[: MOST_RULES + 1])
    in_force = next((rule for rule in rules if rule.ended_at is None), None)
    form = OfferForm(given if any(given.get(name) for name in OfferForm.base_fields) else _described(in_force))
    context = {
        "form": form,
        "currency": current_shop().currency,
        "is_session": version.horizon == Horizon.SESSION,
        "serves": version.status == Status.CHAMPION,
        "kept": [(clock(rule.begun_at), rule_words(rule), rule.who, _until(rule)) for rule in rules[:MOST_RULES]],
        "champion": ModelVersion.objects.of(version.horizon).champions().first(),
    }
    try:
        ground = ground_of(version)
    except IntentError as refused:
        return context | {"fault": f"{refused.message}."}
    offer = form.offer()
    reach = ground.curve.reach(offer) if offer is not None else None
    return context | {
        "in_force": in_force_words(in_force, ground),
        "is_corrected": ground.shift != Calibration(),
        "headline": headline(offer, ground, version),
        "ways": ways(offer, form.rule(OfferBy.PRECISION), ground),
        "offer": offer,
        "chart": offer_chart(offer, ground.curve) if offer is not None and reach is not None else None,
        "narrow_chart": offer_chart(offer, ground.curve, NARROW) if offer is not None and reach is not None else None,
        "rows": score_rows(offer, ground.curve) if offer is not None else [],
        "cases": f"{ground.curve.cases:,}",
        "what": subjects(version),
    }


def _described(rule: OfferRule | None) -> dict[str, str]:
    """A stored rule as the form's own figures; nothing without one."""
    if rule is None:
        return {}
    given = {
        "margin": rule.margin,
        "cost": rule.cost,
        "contact": rule.contact,
        "uplift": None if rule.odds_ratio is None else round((rule.odds_ratio - 1) * 100, 6),
        "precision": None if rule.precision is None else round(rule.precision * 100, 6),
    }
    return {name: f"{value:.6g}" for name, value in given.items() if value is not None}


def _until(rule: OfferRule) -> str:
    return "in use" if rule.ended_at is None else clock(rule.ended_at)


def _serves_sessions(version: ModelVersion) -> bool:
    return version.status == Status.CHAMPION and version.horizon == Horizon.SESSION


def _address(version: ModelVersion) -> str:
    return reverse("admin:purchase_intent_modelversion_offer", args=[version.pk])
