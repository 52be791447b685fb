"""Shelves small enough to count, and shoppers to walk along them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from demo_shop.models import Category, Department, Product

Stock = Callable[..., Product]

HOME = "home"
KITCHEN = f"/shop/{HOME}/kitchen/"

ADDRESS = {
    "name": "Ada Example",
    "email": "ada@example.com",
    "street": "12 Harbour Lane",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture
def kitchen(db: None) -> Category:
    """Return a shelf of the home department."""
    home = Department.objects.create(slug="home", name="Home", line="Rooms", position=1)
    return Category.objects.create(
        department=home, slug="kitchen", name="Kitchen", words="pan, kettle", story="Gets better with use."
    )


@pytest.fixture
def stock(kitchen: Category) -> Stock:
    """Return a function that puts a product on the kitchen's shelf; ten at € 20 unless told otherwise."""

    def _stock(name: str = "Moss Kettle", **fields: object) -> Product:
        number = Product.objects.count() + 1
        plain: dict[str, object] = {
            "id": number,
            "slug": f"product-{number}",
            "name": name,
            "brand": "Kilnwerk",
            "category": kitchen,
            "shape": "kettle",
            "price": Decimal("20.00"),
            "stock": 10,
            "popularity": 1 / number,
        }
        return Product.objects.create(**plain | fields)

    return _stock


@pytest.fixture
def kettle(stock: Stock) -> Product:
    """Return one plain product."""
    return stock()


@pytest.fixture
def ada(db: None) -> User:
    """Return somebody with an account."""
    return User.objects.create_user("ada@example.com", "ada@example.com", "a long enough secret", first_name="Ada")


@pytest.fixture
def add(client: Client) -> Callable[..., int]:
    """Return a function that puts a product into the client's basket and returns the status of the answer."""

    def _add(product: Product, quantity: object = 1) -> int:
        return client.post(product.get_absolute_url(), {"quantity": str(quantity)}).status_code

    return _add


@pytest.fixture
def reviewed(client: Client) -> Callable[[], dict[str, str]]:
    """Return a function that walks from a filled basket to the review and returns what its form sends."""

    def _reviewed() -> dict[str, str]:
        assert client.post("/checkout/address/", ADDRESS).headers["Location"] == "/checkout/payment/"
        assert client.post("/checkout/payment/", {"payment": "invoice"}).headers["Location"] == "/checkout/review/"
        shown = client.get("/checkout/review/").context
        return {"attempt": str(shown["checkout"].attempt), "seen": shown["seen"]}

    return _reviewed
