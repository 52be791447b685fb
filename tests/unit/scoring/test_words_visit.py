"""What is said of how a visit has gone and whence it came, of real ones."""

from __future__ import annotations

import pytest

from purchase_intent.events.names import EventName, Page
from purchase_intent.scoring.words.pages import act_name, page_name
from tests.unit.features.streams import Shop
from tests.unit.scoring.telling import Story, said

LOOK, CLICK = EventName.PAGE_VIEW, EventName.INTERACTION


def pages(*shown: Page, every: float = 30.0, kind: EventName = LOOK) -> Story:
    """Pages shown one after another, so many seconds apart."""

    def story(shop: Shop) -> None:
        for place, page in enumerate(shown):
            shop.send("v", "now", kind, every * place, page=page)

    return story


def ordered(shop: Shop) -> None:
    """An order, and a stroll of five minutes after it."""
    for place, (kind, page) in enumerate(
        [(EventName.PURCHASE, Page.CONFIRMATION), *[(LOOK, page) for page in (Page.HOME, Page.LISTING) * 3]]
    ):
        shop.send("v", "now", kind, 50.0 * place, page=page)


HOME = pages(Page.HOME)
TWO = pages(Page.HOME, Page.LISTING)
SIX = pages(*(Page.HOME, Page.LISTING) * 3)


@pytest.mark.parametrize("feature", ["duration", "events", "moments", "gap", "pace", "longest_gap"])
def test_of_who_has_only_just_arrived_nothing_else_is_said(feature: str) -> None:
    assert said(HOME, feature) == said(HOME, feature, up=False) == "Has only just arrived"


@pytest.mark.parametrize(
    ("story", "feature", "for_it", "against_it"),
    [
        pytest.param(
            TWO, "duration", "Has been here for half a minute", "Has been here for only half a minute", id="short"
        ),
        pytest.param(
            SIX,
            "duration",
            "Has been here for two minutes",
            "Has been here for two minutes without an order",
            id="long",
        ),
        pytest.param(
            ordered,
            "duration",
            "Has been here for five minutes",
            "Has been here for five minutes",
            id="long, with an order",
        ),
        pytest.param(
            TWO, "moments", "Has taken two steps in half a minute", "Has taken only two steps so far", id="few steps"
        ),
        pytest.param(
            SIX, "events", "Has taken six steps in two minutes", "Has taken six steps without an order", id="many"
        ),
        pytest.param(
            ordered,
            "moments",
            "Has taken seven steps in five minutes",
            "Has taken seven steps so far",
            id="many, with an order",
        ),
    ],
)
def test_of_its_length(story: Story, feature: str, for_it: str, against_it: str) -> None:
    assert (said(story, feature), said(story, feature, up=False)) == (for_it, against_it)


HASTE = pages(Page.HOME, Page.LISTING, every=2.0)


@pytest.mark.parametrize(
    ("story", "feature", "text"),
    [
        pytest.param(HASTE, "gap", "Took the latest step at once", id="no pause"),
        pytest.param(TWO, "gap", "Paused for half a minute before the latest step", id="a pause"),
        pytest.param(HASTE, "pace", "Moves quickly from step to step", id="quick"),
        pytest.param(pages(*(Page.HOME, Page.LISTING) * 8), "pace", "Takes half a minute from step to step", id="slow"),
        pytest.param(HASTE, "longest_gap", "Has hardly paused so far", id="hardly paused"),
        pytest.param(TWO, "longest_gap", "Has paused for up to half a minute", id="paused"),
        pytest.param(HOME, "page", "Was last on the home page", id="page"),
        pytest.param(HOME, "kind", "Was last on the home page", id="a page seen is its page"),
        pytest.param(
            pages(Page.PRODUCT, kind=CLICK), "kind", "Latest step: clicked on a detail of the page", id="a click"
        ),
        pytest.param(HOME, "trail", "Was last on the home page", id="no way yet"),
        pytest.param(TWO, "trail", "Went from the home page to a product list", id="a way"),
        pytest.param(pages(Page.HOME, Page.HOME), "trail", "Was last on the home page", id="the same page again"),
        pytest.param(HOME, "interactions", "Has not clicked on the details of a page", id="no click"),
        pytest.param(
            pages(Page.PRODUCT, Page.PRODUCT, kind=CLICK),
            "interactions",
            "Clicked on the details of a page twice",
            id="clicks",
        ),
        pytest.param(HOME, "searches", "Has not searched for anything", id="no search"),
        pytest.param(pages(Page.SEARCH), "searches", "Searched once", id="a search"),
        pytest.param(HOME, "information_visits", "Has not read about delivery or returns", id="nothing read"),
        pytest.param(
            pages(Page.INFORMATION), "information_visits", "Read about delivery, returns or help once", id="read"
        ),
        pytest.param(pages(Page.LISTING), "home_visits", "Has not been on the home page", id="not at home"),
        pytest.param(HOME, "home_visits", "Was on the home page once", id="at home"),
        pytest.param(HOME, "home_dwell", "Was on the home page once", id="just at home"),
        pytest.param(TWO, "home_dwell", "Has spent half a minute on the home page", id="long at home"),
        pytest.param(HOME, "listing_visits", "Has not looked through product lists", id="no list"),
        pytest.param(TWO, "listing_visits", "Has looked through one product list", id="a list"),
        pytest.param(SIX, "listing_visits", "Has looked through product lists three times", id="lists"),
        pytest.param(TWO, "listing_dwell", "Has looked through one product list", id="just a list"),
        pytest.param(SIX, "listing_dwell", "Has spent a minute on product lists", id="long on lists"),
    ],
)
def test_of_its_pace_and_pages(story: Story, feature: str, text: str) -> None:
    assert said(story, feature) == text


MORE, SELDOM = "such visits end in an order more often", "such visits seldom end in an order"


def arriving(**values: float) -> Story:
    """The home page, seen under some circumstances."""

    def story(shop: Shop) -> None:
        shop.send("v", "now", LOOK, 0.0, page=Page.HOME, **values)

    return story


@pytest.mark.parametrize(
    ("story", "feature", "for_it", "against_it"),
    [
        *(
            pytest.param(
                arriving(**{feature: value}),
                feature,
                f"It is {moment}, when more visits end in an order",
                f"It is {moment}, when fewer visits end in an order",
                id=f"{feature} {value}",
            )
            for feature, value, moment in (
                *(("hour", 5, "night"), ("hour", 6, "morning"), ("hour", 12, "afternoon"), ("hour", 23, "evening")),
                *(("weekday", 0, "Monday"), ("weekday", 6, "Sunday")),
            )
        ),
        *(
            pytest.param(
                arriving(weekday=day),
                "weekend",
                f"It is {moment}, when more visits end in an order",
                f"It is {moment}, when fewer visits end in an order",
                id=moment,
            )
            for day, moment in ((4, "a working day"), (5, "the weekend"))
        ),
        *(
            pytest.param(
                arriving(**values), feature, f"{cause}: {MORE}", f"{cause}: {SELDOM}", id=f"{feature}: {cause}"
            )
            for feature, values, cause in (
                ("device", {}, "The kind of device is not known"),
                ("device", {"device": 7}, "Shops on a device of this kind"),
                ("channel", {}, "Where the visitor came from is not known"),
                ("channel", {"channel": 7}, "Came by this channel"),
                ("country", {}, "The country is not known"),
                ("country", {"country": 7}, "Comes from this country"),
                ("landing", {}, "Began on the home page"),
            )
        ),
        pytest.param(
            HOME,
            "shop_conversion",
            *["Nothing is known yet of how the shop has sold of late"] * 2,
            id="a new shop",
        ),
        pytest.param(
            arriving(shop_sessions=50),
            "shop_conversion",
            *["Nobody has bought in the last four weeks"] * 2,
            id="no sale",
        ),
        pytest.param(
            arriving(shop_sessions=50, shop_buyers=1),
            "shop_conversion",
            "Many visits have ended in an order in the last four weeks",
            "Few visits have ended in an order in the last four weeks",
            id="sales",
        ),
    ],
)
def test_of_when_and_whence_it_came(story: Story, feature: str, for_it: str, against_it: str) -> None:
    assert (said(story, feature), said(story, feature, up=False)) == (for_it, against_it)


def test_every_page_and_act_has_a_name_of_its_own() -> None:
    names = [page_name(page) for page in Page]
    assert len(set(names)) == len(Page)
    assert page_name(99) == page_name(Page.OTHER) == "one of the other pages"
    acts = {kind: act_name(kind) for kind in EventName}
    assert [kind for kind, name in acts.items() if not name] == [LOOK]
    assert len(set(acts.values())) == len(EventName)
    assert act_name(99) == ""
