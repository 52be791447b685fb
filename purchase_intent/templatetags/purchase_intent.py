"""`{% load purchase_intent %}`: the score of the visitor's session and its segments, worked out where they are used.

`{% intent as intent %}`, `{% ifsegment "high-value" %}`, `{% ifintent ">= 0.8" %}` and
`{% ifpersuadable "vip-offer" %}`, each with an `{% else %}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.template import Context
from django.template.base import Parser, Token
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from purchase_intent.models import Stage
from purchase_intent.scoring.answer import UNKNOWN, Intent, Reason, Standing
from purchase_intent.scoring.faults import tell_once
from purchase_intent.segments.placeholders import intent_condition, segment_condition
from purchase_intent.shortcuts import experiment_facts, in_segment, score, script_facts, segments, variant_for
from purchase_intent.templatetags.branches import Branches, branches, has_intent, is_in_any, is_persuadable_by_any

__all__ = [
    "LazyIntent",
    "LazySegments",
    "experiments_script",
    "ifintent",
    "ifpersuadable",
    "ifsegment",
    "intent",
    "intent_script",
    "variant",
]

REASONS: Final = 3
"""How many reasons a page shows unless it asks for more or fewer."""

register = template.Library()


class LazySegments:
    """The segments of a visit, each judged when asked for: `intent.segment.high_value`, or all of them in a loop."""

    def __init__(self, request: HttpRequest | None) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        return self._request is not None and in_segment(self._request, str(name))

    def __contains__(self, name: object) -> bool:
        return self._request is not None and in_segment(self._request, str(name))

    def __iter__(self) -> Iterator[str]:
        return iter(segments(self._request) if self._request is not None else ())

    def __str__(self) -> str:
        return ", ".join(self)


class LazyIntent:
    """An answer that is worked out when first read, and its reasons when they are.

    It reads like an `Intent`. What is never read costs nothing.
    """

    def __init__(self, request: HttpRequest | None, reasons: int = REASONS) -> None:
        self._request = request
        self._most = reasons

    def __str__(self) -> str:
        return "" if self.probability is None else f"{self.probability:.3f}"

    @cached_property
    def _answer(self) -> Intent:
        return score(self._request) if self._request is not None else UNKNOWN

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """The strongest causes, the strongest first."""
        if self._request is None or self._most <= 0:
            return ()
        return score(self._request, reasons=self._most).reasons

    @cached_property
    def segment(self) -> LazySegments:
        """Which segments the visit belongs to: `intent.segment.high_value` for the key high-value."""
        return LazySegments(self._request)

    @property
    def standing(self) -> Standing:
        """Where the answer comes from, or why there is none."""
        return self._answer.standing

    @property
    def probability(self) -> float | None:
        """Of a purchase, 0 to 1; None where the standing says why."""
        return self._answer.probability

    @property
    def band(self) -> str:
        """The narrowest band the score reaches, or ""."""
        return self._answer.band

    @property
    def bands(self) -> frozenset[str]:
        """Every band the score reaches."""
        return self._answer.bands

    @property
    def stage(self) -> Stage:
        """How far the session has come."""
        return self._answer.stage

    @property
    def model(self) -> int | None:
        """The key of the model version that answered; None for rules."""
        return self._answer.model

    @property
    def offer(self) -> bool | None:
        """Whether the shop's offer is for this score; None where the shop stored no rule, or no model has scored."""
        return self._answer.offer

    @property
    def moment(self) -> datetime | None:
        """The moment the answer is as of."""
        return self._answer.moment


@register.simple_tag(takes_context=True)
def intent(context: Context, reasons: Any = REASONS) -> LazyIntent:
    """The session's intent: `{% intent as intent %}`, or `{% intent reasons=5 as intent %}` for more reasons."""
    request = context.get("request")
    return LazyIntent(
        request if isinstance(request, HttpRequest) else None, reasons if isinstance(reasons, int) else REASONS
    )


@register.inclusion_tag("purchase_intent/script.html", takes_context=True)
def intent_script(context: Context, *, cached: bool = False, spa: bool = False, dwell: bool = True) -> dict[str, Any]:
    """The script's tag: `{% intent_script %}`, `{% intent_script cached=True %}` on a page that comes out of a cache.

    `spa` also tells of pages that scripts show; `dwell=False` leaves out how long the last page was looked at. On a
    cached page the server asks for consent when events arrive, since the page is not one visitor's.
    """
    request = context.get("request")
    data, sources = {"url": _address("events")}, _files("intent.js")
    if not data["url"] or not sources:
        return {"data": {}}
    if cached or spa:
        data["views"] = "spa" if spa else "cached"
    if dwell:
        data["dwell"] = ""
    if isinstance(request, HttpRequest):
        data |= script_facts(request, is_shared=cached)
    return {"data": data, "sources": sources}


@register.inclusion_tag("purchase_intent/experiments_script.html", takes_context=True)
def experiments_script(context: Context, *keys: Any, cached: bool = False) -> dict[str, Any]:
    """Arms for the page's own scripts: `{% experiments_script %}`, or with the keys of those that the page asks for.

    `cached=True` on a page that comes out of a cache: nothing in it is one visitor's.
    """
    request = context.get("request")
    asked = request if isinstance(request, HttpRequest) else None
    data, sources = {"url": _address("exposures")}, _files("bucketing.js", "experiments.js")
    if not data["url"] or not sources:
        return {"data": {}}
    if cached:
        data["cached"] = ""
    if asked is not None:
        data |= {name: value for name, value in script_facts(asked, is_shared=cached).items() if name != "page"}
    facts = experiment_facts(asked, *map(str, keys), is_shared=cached)
    return {"data": data, "sources": sources, "facts": facts}


def _address(name: str) -> str:
    try:
        return reverse(f"purchase_intent:{name}")
    except NoReverseMatch:  # the project includes no urls of ours
        return ""


def _files(*names: str) -> list[str]:
    """Where the scripts are served; none where the project's storage does not know them, which is logged once."""
    try:
        return [static(f"purchase_intent/{name}") for name in names]
    except Exception as fault:  # noqa: BLE001 - the page's edge, and a storage of the project's own
        tell_once(fault, effect="A script was left out of the page")
        return []


@register.tag
def ifsegment(parser: Parser, token: Token) -> Branches:
    """`{% ifsegment "high-value" %}…{% else %}…{% endifsegment %}`; of several keys, one is enough.

    `cached=True` is for a page that comes out of a cache: the script shows the part that is this visitor's.
    """
    return branches(parser, token, is_in_any, segment_condition)


@register.tag
def ifintent(parser: Parser, token: Token) -> Branches:
    """`{% ifintent ">= 0.8" %}…{% else %}…{% endifintent %}`; of several limits, all have to be kept.

    `cached=True` as for `ifsegment`.
    """
    return branches(parser, token, has_intent, intent_condition)


@register.tag
def ifpersuadable(parser: Parser, token: Token) -> Branches:
    """`{% ifpersuadable "vip-offer" %}…{% else %}…{% endifpersuadable %}`; of several experiments, one is enough.

    `"vip-offer:gift"` asks for one treatment of several.
    """
    return branches(parser, token, is_persuadable_by_any)


@register.simple_tag(takes_context=True)
def variant(context: Context, key: Any) -> str:
    """The arm of an experiment: `{% variant "free-shipping-bar" as arm %}{% if arm == "bar" %}…{% endif %}`."""
    request = context.get("request")
    return variant_for(request, str(key)) if isinstance(request, HttpRequest) else ""
