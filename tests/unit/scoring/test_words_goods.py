"""What is said of the products of a visit, of real ones."""

from __future__ import annotations

import pytest

from purchase_intent.events.names import EventName, Page
from tests.unit.features.streams import Shop
from tests.unit.scoring.telling import Story, said

VIEW = EventName.VIEW


def views(*products: dict[str, float], every: float = 60.0, kind: EventName = VIEW) -> Story:
    """Product pages opened one after another; without any, only the home page."""

    def story(shop: Shop) -> None:
        if not products:
            shop.send("v", "now", EventName.PAGE_VIEW, 0, page=Page.HOME)
        for place, values in enumerate(products):
            shop.send("v", "now", kind, every * place, page=Page.PRODUCT, **values)

    return story


def product(key: int = 7, **values: float) -> dict[str, float]:
    return {"product": key} | values


NONE_YET = "Has not looked at a product yet"
OF_PRODUCTS = (
    *("views", "products", "categories", "product_dwell", "repeats", "price", "mean_price", "max_price", "min_price"),
    *("total_price", "price_to_mean", "price_to_category", "product_popularity", "product_cart_rate"),
    *("product_buy_rate", "mean_buy_rate", "category", "category_cart_rate", "brand", "product_known"),
)
OF_PRICES = tuple(name for name in OF_PRODUCTS if "price" in name)
DEAR, CHEAP, ALIKE = product(1, price=90), product(2, price=10), product(3, price=50)


@pytest.mark.parametrize("feature", [name for name in OF_PRODUCTS if name != "product_known"])
def test_without_a_product_all_say_so(feature: str) -> None:
    assert said(views(), feature) == said(views(), feature, up=False) == NONE_YET


@pytest.mark.parametrize("feature", OF_PRICES)
def test_without_a_price_all_say_so(feature: str) -> None:
    assert said(views(product()), feature) == "No price of these products is known"


@pytest.mark.parametrize(
    ("story", "feature", "text"),
    [
        pytest.param(
            views(product(), kind=EventName.SELECT_ITEM), "views", "Has not opened a product page yet", id="picked only"
        ),
        pytest.param(views(product()), "views", "Has opened one product page", id="one page"),
        pytest.param(
            views(*[product(key) for key in range(1, 6)]), "views", "Has opened product pages five times", id="pages"
        ),
        pytest.param(views(product()), "products", "Has looked at one product so far", id="one product"),
        pytest.param(views(product(1), product(2)), "products", "Has looked at two products", id="two products"),
        pytest.param(views(product()), "categories", "Has looked at one product so far", id="no category named"),
        pytest.param(views(product(category=5)), "categories", "Keeps to one category of products", id="one category"),
        pytest.param(
            views(product(1, category=5), product(2, category=6)),
            "categories",
            "Has looked at two categories of products",
            id="two categories",
        ),
        pytest.param(views(product()), "product_dwell", "Has not stayed on a product page yet", id="not stayed"),
        pytest.param(
            views(product(), product()), "product_dwell", "Has looked at one product for a minute", id="stayed on one"
        ),
        pytest.param(
            views(product(1), product(2)), "product_dwell", "Has spent a minute on product pages", id="stayed on two"
        ),
        pytest.param(views(product(1), product(2)), "repeats", "Has not come back to a product", id="not back"),
        pytest.param(
            views(product(1), product(2), product(1)), "repeats", "Came back to a product once", id="back once"
        ),
        pytest.param(views(DEAR), "price", "The latest product costs about 90 EUR", id="price"),
        pytest.param(views(DEAR, CHEAP), "mean_price", "Looks at products of about 50 EUR", id="mean"),
        pytest.param(views(DEAR, CHEAP), "max_price", "The dearest product seen costs about 90 EUR", id="dearest"),
        pytest.param(views(DEAR, CHEAP), "min_price", "The cheapest product seen costs about 10 EUR", id="cheapest"),
        pytest.param(views(DEAR, CHEAP), "total_price", "The products seen add up to about 100 EUR", id="sum"),
        pytest.param(views(DEAR), "price_to_mean", "The latest product costs about 90 EUR", id="nothing to compare"),
        pytest.param(
            views(CHEAP, DEAR), "price_to_mean", "The latest product is dearer than the others seen", id="dearer"
        ),
        pytest.param(
            views(DEAR, CHEAP), "price_to_mean", "The latest product is cheaper than the others seen", id="cheaper"
        ),
        pytest.param(
            views(DEAR, CHEAP, ALIKE),
            "price_to_mean",
            "The latest product costs about as much as the others seen",
            id="alike",
        ),
        pytest.param(
            views(DEAR), "price_to_category", "The latest product costs about 90 EUR", id="no prices of the category"
        ),
        *(
            pytest.param(
                views(product(price=price, category_views=10, category_cents=50_000)),
                "price_to_category",
                text,
                id=f"{price} where 50 is usual",
            )
            for price, text in (
                (90, "The latest product is dearer than is usual in its category"),
                (10, "The latest product is cheaper than is usual in its category"),
                (50, "The latest product costs what is usual in its category"),
            )
        ),
        pytest.param(
            views(product()),
            "product_popularity",
            "Nobody looked at the latest product in the last four weeks",
            id="unpopular",
        ),
        pytest.param(
            views(product(product_views=3)),
            "product_popularity",
            "The latest product was looked at three times in the last four weeks",
            id="popular",
        ),
        pytest.param(views(product()), "category", "The category is not known", id="category unknown"),
        pytest.param(views(product()), "brand", "The brand is not known", id="brand unknown"),
    ],
)
def test_of_the_products(story: Story, feature: str, text: str) -> None:
    assert said(story, feature) == text


@pytest.mark.parametrize(
    ("feature", "for_it", "against_it"),
    [
        (
            "product_cart_rate",
            "The latest product often goes into baskets",
            "The latest product seldom goes into baskets",
        ),
        (
            "product_buy_rate",
            "The latest product sells well for its views",
            "The latest product sells little for its views",
        ),
        (
            "mean_buy_rate",
            "The products seen sell well for their views",
            "The products seen sell little for their views",
        ),
        (
            "category",
            "Looks at a category from which visitors buy more often",
            "Looks at a category from which visitors seldom buy",
        ),
        (
            "category_cart_rate",
            "Products of this category often go into baskets",
            "Products of this category seldom go into baskets",
        ),
        ("brand", "Looks at a brand that visitors buy more often", "Looks at a brand that visitors seldom buy"),
        ("views", "Has opened product pages twice", "Has opened product pages only twice"),
    ],
)
def test_what_speaks_for_a_purchase_and_what_against_it(feature: str, for_it: str, against_it: str) -> None:
    story = views(product(1, category=5, brand=6), product(2, category=5, brand=6))
    assert (said(story, feature), said(story, feature, up=False)) == (for_it, against_it)
