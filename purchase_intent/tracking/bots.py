"""Who is no shopper: a label and a reason, by the user agent, which is never stored itself, and by the pace."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["LONGEST_AGENT", "PERSON", "STAFF", "Label", "label_of", "pace_label"]

LONGEST_AGENT: Final = 1024
"""Characters of a user agent that are looked at: real ones have some 200."""
_LONGEST_REASON: Final = 200
MANY: Final = 120
"""Events of a session from which on its pace is looked at: many tabs may be opened at once."""
HASTY: Final = 0.5
"""Seconds from one event to the next, at the mean of a session, that no hands keep up."""


class Label(NamedTuple):
    """What a visitor is, both empty for a shopper.

    `kind` is `crawler`, `headless`, `library`, `nameless`, `hasty`, `scriptless` or `staff`.
    """

    kind: str
    reason: str


PERSON: Final = Label("", "")
STAFF: Final = Label("staff", "signed in as one of the shop's own people")

_HEADLESS: Final = re.compile(
    r"HeadlessChrome|PhantomJS|SlimerJS|HtmlUnit|Puppeteer|Playwright|Selenium|Cypress", re.IGNORECASE
)
_LIBRARY: Final = re.compile(
    r"^(?:python[-/]|aio|go-|perl-|ruby|faraday|java/|jakarta|apache-http|okhttp|axios|node|undici|got[ /]|guzzle|"
    r"php|curl|libcurl|wget|lwp|libwww|http\.?rb|httpie|httpx|postman|insomnia|scrapy|reqwest|hyper/|dart|deno|bun/|"
    r"k6/|locust|apachebench|jmeter|vegeta|siege)",
    re.IGNORECASE,
)


def label_of(agent: str) -> Label:
    """The label of a user agent: PERSON for anything that might be a browser. It costs microseconds a second time."""
    return _label(agent[:LONGEST_AGENT])


@lru_cache(maxsize=4096)
def _label(agent: str) -> Label:
    if not agent.strip():
        return Label("nameless", "it sends no user agent")
    if found := _HEADLESS.search(agent):
        return Label("headless", f"its user agent says {found[0]}")
    if found := _LIBRARY.search(agent):
        return Label("library", f"its user agent begins with {found[0]}")
    return _crawler(agent)


def pace_label(events: int, seconds: float) -> Label:
    """The label of a session's pace: PERSON for any that hands could keep up."""
    if events < MANY or seconds > events * HASTY:
        return PERSON
    return Label("hasty", f"{events} events within {max(seconds, 0.0):.0f} seconds")


def _crawler(agent: str) -> Label:
    # Reading its list takes 20 milliseconds: not while the site starts.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA, is_crawler, matching_crawlers

    if not is_crawler(agent):
        return PERSON
    pattern = CRAWLER_USER_AGENTS_DATA[matching_crawlers(agent)[0]]["pattern"]
    return Label("crawler", f"its user agent matches {pattern}"[:_LONGEST_REASON])
