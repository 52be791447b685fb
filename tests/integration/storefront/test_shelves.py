"""Home, listings, search and product pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from demo_shop import catalogue, delivery, signals
from demo_shop.catalogue import PAGE_SIZE
from demo_shop.models import Category, Department, Product
from tests.integration.storefront.conftest import KITCHEN

Stock = Callable[..., Product]


def names(response: Any) -> list[str]:
    return [product.name for product in response.context["page"]]


@pytest.fixture
def shelf(stock: Stock) -> list[Product]:
    """Return four products, each of another brand or price."""
    return [
        stock("Amber Kettle", price=Decimal("30.00")),
        stock("Birch Pan", price=Decimal("10.00"), brand="Nestoria"),
        stock("Cobalt Cup", price=Decimal("20.00"), brand=""),
        stock("Dune Kettle", price=Decimal("40.00"), stock=0, brand="Nestoria"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["Amber Kettle", "Birch Pan", "Cobalt Cup", "Dune Kettle"], id="popular first"),
        pytest.param("sort=price", ["Birch Pan", "Cobalt Cup", "Amber Kettle", "Dune Kettle"], id="cheap first"),
        pytest.param("sort=-price", ["Dune Kettle", "Amber Kettle", "Cobalt Cup", "Birch Pan"], id="dear first"),
        pytest.param("sort=name;drop", ["Amber Kettle", "Birch Pan", "Cobalt Cup", "Dune Kettle"], id="unknown order"),
        pytest.param("brand=Nestoria", ["Birch Pan", "Dune Kettle"], id="a brand"),
        pytest.param("brand=Nestoria&stock=on", ["Birch Pan"], id="a brand, in stock"),
        pytest.param("brand=Nestoria&brand=Kilnwerk", ["Amber Kettle", "Birch Pan", "Dune Kettle"], id="two brands"),
        pytest.param("lowest=20&highest=30", ["Amber Kettle", "Cobalt Cup"], id="prices, both ends in"),
        pytest.param("lowest=1000", [], id="nothing as dear"),
    ],
)
def test_a_listing_shows_what_is_asked_for_in_order(
    shelf: list[Product], client: Client, query: str, found: list[str]
) -> None:
    response = client.get(f"{KITCHEN}?{query}")
    assert (response.status_code, names(response)) == (200, found)


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("lowest=cheap", "lowest", "Please give a number, such as 25 or 19.99."),
        ("highest=-1", "highest", "A price cannot be less than 0."),
        ("lowest=30&highest=10", "highest", "This is less than the lowest price."),
        ("lowest=" + "9" * 400, "lowest", "Ensure that there are no more than 8 digits in total."),
        ("brand=Nobody", "brand", "Select a valid choice. Nobody is not one of the available choices."),
    ],
)
def test_a_filter_that_cannot_be_is_said_and_hides_nothing(
    shelf: list[Product], client: Client, query: str, field: str, said: str
) -> None:
    response = client.get(f"/shop/?{query}")
    assert (response.status_code, response.context["form"].errors) == (200, {field: [said]})
    assert said.replace("'", "&#x27;") in response.content.decode()


def test_filters_that_are_on_are_said_and_can_be_cleared(shelf: list[Product], client: Client) -> None:
    page = client.get("/shop/?brand=Nestoria&lowest=5&highest=50&stock=on&sort=price").content.decode()
    assert "Nestoria, from €5.00, up to €50.00, in stock: 1 product" in page
    assert '<a href="?sort=price">Clear filters</a>' in page
    assert "Clear filters" not in client.get("/shop/?sort=price").content.decode()


def test_a_listing_comes_in_pages(stock: Stock, client: Client) -> None:
    for number in range(PAGE_SIZE + 2):
        stock(f"Kettle {number:02}")
    assert len(names(client.get("/shop/"))) == PAGE_SIZE
    for page in ("2", "99"):
        assert names(client.get(f"/shop/?page={page}")) == ["Kettle 24", "Kettle 25"]
    assert len(names(client.get("/shop/?page=nonsense"))) == PAGE_SIZE
    first = client.get("/shop/?sort=name&brand=Kilnwerk").content.decode()
    assert 'href="?sort=name&amp;brand=Kilnwerk&amp;page=2"' in first


@pytest.mark.parametrize("path", ["/shop/garage/", f"{KITCHEN}attic/", "/product/nothing/", "/information/secrets/"])
def test_what_is_not_there_is_not_found_and_has_a_way_out(kettle: Product, client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert b"There is nothing at this address" in response.content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("kettle", ["Amber Kettle", "Birch Pan", "Cobalt Cup", "Dune Kettle"], id="the shelf's words"),
        pytest.param("amber", ["Amber Kettle"], id="a name"),
        pytest.param("ambers", ["Amber Kettle"], id="a plural"),
        pytest.param("AMBER kiln", ["Amber Kettle"], id="a name and a brand"),
        pytest.param("amber unobtainium", [], id="a word that is nowhere"),
        pytest.param("%", [], id="a sign that databases know"),
        pytest.param("' OR 1=1 --", [], id="no way into the database"),
        pytest.param("amber\0", ["Amber Kettle"], id="a null byte"),
        pytest.param("x" * 5000, [], id="a very long word"),
    ],
)
def test_a_search_finds_every_word_somewhere(
    shelf: list[Product], client: Client, query: str, found: list[str]
) -> None:
    response = client.get("/search/", {"q": query})
    assert (response.status_code, names(response)) == (200, found)


def test_a_search_without_a_result_shows_ways_out(shelf: list[Product], client: Client) -> None:
    response = client.get("/search/?q=<script>alert(1)</script>")
    page = response.content.decode()
    assert "We found nothing for that" in page
    assert "&lt;script&gt;" in page
    assert "alert(1)</script>" not in page
    assert [product.name for product in response.context["popular"]] == ["Amber Kettle", "Birch Pan", "Cobalt Cup"]


def test_a_search_for_nothing_asks_for_a_word(shelf: list[Product], client: Client) -> None:
    told: list[str] = []

    def searched(query: str, found: int, **_: Any) -> None:
        told.append(f"{query}: {found}")

    signals.searched.connect(searched)
    try:
        assert b"What are you looking for?" in client.get("/search/?q=%20").content
        client.get("/search/?q=amber")
        client.get("/search/?q=amber&sort=price")
    finally:
        signals.searched.disconnect(searched)
    assert told == ["amber: 1"]


def test_a_product_page_tells_what_a_shopper_asks_first(stock: Stock, client: Client) -> None:
    shown, other = stock(stock=3), stock("Moss Pan")
    response = client.get(shown.get_absolute_url())
    page = response.content.decode()
    for fact in ("Moss Kettle", "€20.00", "Only 3 left", "€4.90, free from €49.00", "Add to basket"):
        assert fact in page
    assert response.context["related"] == [other]


def test_looking_at_a_product_is_told(kettle: Product, client: Client) -> None:
    told: list[str] = []

    def viewed(product: Product, **_: Any) -> None:
        told.append(product.category_code)

    signals.product_viewed.connect(viewed)
    try:
        client.get(kettle.get_absolute_url())
        client.post(kettle.get_absolute_url(), {"quantity": "0"})
    finally:
        signals.product_viewed.disconnect(viewed)
    assert told == ["home/kitchen"]


def test_related_products_leave_out_what_is_gone(stock: Stock, kitchen: Category) -> None:
    shown, _, _ = stock(), stock("Gone", stock=0), stock("Off", on_sale=False)
    elsewhere = Category.objects.create(department=kitchen.department, slug="garden", name="Garden")
    stock("Planter", category=elsewhere)
    pan = stock("Moss Pan")
    assert catalogue.related(shown, 4) == [pan]


def test_departments_take_turns_among_what_people_like(stock: Stock, kitchen: Category) -> None:
    sports = Category.objects.create(
        department=Department.objects.create(slug="sports", name="Sports"), slug="running", name="Running"
    )
    liked = [stock(f"Pan {n}", popularity=3) for n in range(3)]
    shoe = stock("Shoe", category=sports, popularity=1)
    assert catalogue.popular(3) == [liked[0], shoe, liked[1]]


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        pytest.param("/", 6, id="home: popular, gifts, departments, experiments within a savepoint"),
        pytest.param(KITCHEN, 9, id="listing: place, shelves, brands, count, page, departments, experiments"),
        pytest.param("/search/?q=kettle", 4, id="search: brands, count, page, departments"),
        pytest.param("/product/product-1/", 8, id="product: product, related, departments, experiments twice"),
    ],
)
def test_a_page_takes_the_same_queries_for_any_catalogue(
    stock: Stock,
    client: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
    queries: int,
    count: int,
) -> None:
    for number in range(count):
        stock(f"Kettle {number}")
    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/shop/", "/search/", "/basket/", "/sign-in/", "/admin/login/", "/nowhere/"])
def test_every_page_sends_the_policy_and_keeps_it(shelf: list[Product], client: Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["Content-Security-Policy"].split("; ")[0] == "default-src 'self'"
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("/", "Tidewell is a demonstration.", id="home"),
        pytest.param("/shop/", "<h2>Nothing here yet</h2><p>The shelves are being filled.", id="shelves"),
        pytest.param("/search/?q=mug", "<h2>We found nothing for that</h2>", id="search"),
        pytest.param("/basket/", "<h2>Nothing in here yet</h2>", id="basket"),
    ],
)
def test_an_empty_shop_still_stands(db: None, client: Client, path: str, words: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert 'href="/product/' not in response.content.decode()


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        pytest.param(date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 6), id="a Monday"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 9), date(2026, 3, 11), id="a Thursday"),
        pytest.param(date(2026, 3, 7), date(2026, 3, 10), date(2026, 3, 12), id="a Saturday"),
    ],
)
def test_delivery_takes_two_to_four_working_days(today: date, first: date, last: date) -> None:
    assert delivery.window(today) == (first, last)
