"""Where a visitor comes from, in a few words: the kind of device and the channel.

The words are those of the logs that models learn from. Neither the referrer nor a query string is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.http import HttpRequest
from django.http.request import split_domain_port

from purchase_intent.tracking.bots import LONGEST_AGENT

__all__ = ["browser_of", "channel_of", "channel_told", "device_of", "device_told"]

_LONGEST_REFERRER: Final = 2_048

MOBILE: Final = "mobile"
TABLET: Final = "tablet"
DESKTOP: Final = "desktop"

ORGANIC: Final = "Organic Search"
DIRECT: Final = "Direct"
PAID: Final = "Paid Search"
SOCIAL: Final = "Social"
REFERRAL: Final = "Referral"
EMAIL: Final = "Email"
AFFILIATES: Final = "Affiliates"

_TABLETS: Final = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)", re.IGNORECASE)
_MOBILES: Final = re.compile(r"Mobi|iPhone|iPod|Android|Windows Phone|BlackBerry|Opera Mini", re.IGNORECASE)

_BROWSERS: Final = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/|Opera|OPiOS/|OPT/")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Safari/|(?:iPhone|iPad|Macintosh).*AppleWebKit/")),
)
"""Each says that it is the later ones as well."""

_MEDIA: Final = {
    "organic": ORGANIC,
    "cpc": PAID,
    "ppc": PAID,
    "cpm": PAID,
    "paid": PAID,
    "paidsearch": PAID,
    "sem": PAID,
    "social": SOCIAL,
    "paidsocial": SOCIAL,
    "social-media": SOCIAL,
    "social-network": SOCIAL,
    "sm": SOCIAL,
    "email": EMAIL,
    "e-mail": EMAIL,
    "mail": EMAIL,
    "newsletter": EMAIL,
    "affiliate": AFFILIATES,
    "affiliates": AFFILIATES,
    "referral": REFERRAL,
}
"""`utm_medium`, in lower case with dashes for underscores and blanks."""
_CLICKS: Final = {
    "gclid": PAID,
    "gbraid": PAID,
    "wbraid": PAID,
    "dclid": PAID,
    "msclkid": PAID,
    "yclid": PAID,
    "fbclid": SOCIAL,
    "ttclid": SOCIAL,
    "twclid": SOCIAL,
    "igshid": SOCIAL,
    "li_fat_id": SOCIAL,
    "epik": SOCIAL,
    "mc_eid": EMAIL,
    "irclickid": AFFILIATES,
    "awc": AFFILIATES,
}
"""Marks that an advertiser puts into the link of one click."""
_HOSTS: Final = (
    (EMAIL, re.compile(r"(?:^|\.)(?:mail|webmail|outlook)\.|(?:^|\.)(?:gmx\.\w+|web\.de)$")),
    (
        ORGANIC,
        re.compile(
            r"(?:^|\.)(?:google|bing|yahoo|duckduckgo|ecosia|qwant|yandex|baidu|startpage|search\.brave|naver|seznam)"
            r"\.[a-z.]{2,6}$"
        ),
    ),
    (
        SOCIAL,
        re.compile(
            r"(?:^|\.)(?:(?:facebook|instagram|twitter|pinterest|tiktok|youtube|linkedin|reddit|snapchat|whatsapp|tumblr|"
            r"xing)\.[a-z.]{2,6}|x\.com|t\.co|t\.me|lnkd\.in|vk\.com|threads\.(?:com|net)|bsky\.app|mastodon\.social)$"
        ),
    ),
)
"""The host that led here, without its `www.`."""


def device_of(request: HttpRequest) -> str:
    """The kind of device: mobile, tablet or desktop; empty where the browser does not say."""
    hint = request.META.get("HTTP_SEC_CH_UA_MOBILE", "").strip()
    return _device(request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT], hint)


def browser_of(request: HttpRequest) -> str:
    """The browser's family, such as Chrome, Safari or Firefox; empty where it does not say, or is none of the usual."""
    return _browser(request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT])


def device_told(agent: str) -> str:
    """The same of a user agent that a server passes on."""
    return _device(agent[:LONGEST_AGENT], "")


@lru_cache(maxsize=4096)
def _device(agent: str, hint: str) -> str:
    if hint == "?1":
        return MOBILE
    if not agent.strip():
        return ""
    if _TABLETS.search(agent):
        return TABLET
    return MOBILE if _MOBILES.search(agent) else DESKTOP


@lru_cache(maxsize=4096)
def _browser(agent: str) -> str:
    return next((name for name, pattern in _BROWSERS if pattern.search(agent)), "")


def channel_of(request: HttpRequest, referrer: str, *, is_known: bool) -> str:
    """By what a visit begins with this request: the link's own marks first, then the page that led here.

    Empty where a page of the shop itself led here and `is_known`, that this visitor was recorded before, is False: the
    visit began unrecorded, before a consent for example, and what led to it is not known.
    """
    return _marked(_marks(request)) or _referred(request, referrer, within=DIRECT if is_known else "")


def channel_told(request: HttpRequest, *, url: str, referrer: str, is_known: bool) -> str:
    """The same where the script tells of the page: its address with the link's marks, and what led there."""
    try:
        marks = dict(parse_qsl(urlsplit(url[:_LONGEST_REFERRER]).query, max_num_fields=100))
    except ValueError:
        marks = {}
    return _marked(marks) or _referred(request, referrer, within=DIRECT if is_known else "")


def _marks(request: HttpRequest) -> Mapping[str, str]:
    if not request.META.get("QUERY_STRING"):
        return {}  # most pages have none: not even Django's empty one is made
    try:
        return {name: str(value) for name, value in request.GET.items()}
    except SuspiciousOperation:  # more fields than Django reads
        return {}


def _marked(marks: Mapping[str, str]) -> str:
    if not marks:
        return ""
    medium, source = _word(marks.get("utm_medium", "")), _word(marks.get("utm_source", ""))
    if medium in _MEDIA:
        return _MEDIA[medium]
    for mark, channel in _CLICKS.items():
        if mark in marks:
            return channel
    if not medium and not source:
        return ""
    return _MEDIA.get(source) or _by_host(f"{source}.com") or REFERRAL


def _word(text: str) -> str:
    return text.strip().lower().replace("_", "-").replace(" ", "-")


def _referred(request: HttpRequest, referrer: str, *, within: str) -> str:
    try:
        host = urlsplit(referrer[:_LONGEST_REFERRER]).hostname or ""
    except ValueError:  # a browser sends no such thing, but anyone can
        return DIRECT
    if not host:
        return DIRECT
    if host == _own_host(request):
        return within
    return _by_host(host.removeprefix("www.")) or REFERRAL


def _own_host(request: HttpRequest) -> str:
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""


def _by_host(host: str) -> str:
    return next((channel for channel, pattern in _HOSTS if pattern.search(host)), "")
