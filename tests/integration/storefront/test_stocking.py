"""The catalogue's file on the shelves, the pictures, the desk."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from demo_shop import pictures
from demo_shop.models import Category, Department, Order, Product
from demo_shop.stocking import CATALOGUE, load, stock_of

HOME = "home"
KETTLE = f"/pictures/{HOME}/kettle/7.svg"

ROW: dict[str, Any] = {
    "product_id": 7,
    "name": "Kilnwerk Moss Kettle",
    "department": "home",
    "shelf": "kitchen",
    "brand": "Kilnwerk",
    "price": 19.99,
    "popularity": 0.5,
}


def write(folder: Path, rows: object) -> Path:
    path = folder / "catalogue.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.mark.django_db
def test_the_whole_catalogue_is_loaded_and_loaded_again_with_the_same_result() -> None:
    said = StringIO()
    call_command("load_catalogue", stdout=said)
    first = list(Product.objects.order_by("pk").values())
    call_command("load_catalogue", stdout=said)
    assert list(Product.objects.order_by("pk").values()) == first
    assert said.getvalue() == "250 products in 25 categories of 5 departments\n" * 2
    assert (Department.objects.count(), Category.objects.count(), len(first)) == (5, 25, 250)
    assert Category.objects.filter(words="").count() == Category.objects.filter(story="").count() == 0


@pytest.mark.django_db
def test_loading_takes_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(12):
        load(CATALOGUE)


@pytest.mark.django_db
def test_every_product_is_drawn_as_what_its_name_says() -> None:
    load(CATALOGUE)
    for product in Product.objects.select_related("category__department"):
        assert product.slug.endswith(product.shape)
        assert pictures.draw(product.category.department.slug, product.shape, product.pk)


@pytest.mark.django_db
def test_what_changed_is_brought_up_to_date_and_stock_is_left_alone(tmp_path: Path) -> None:
    load(write(tmp_path, [ROW, ROW | {"product_id": 8, "name": "Old Pan", "brand": None}]))
    Product.objects.update(stock=1)
    load(write(tmp_path, [ROW | {"price": 24.5}]))
    assert list(Product.objects.values_list("pk", "price", "stock", "on_sale")) == [
        (7, Decimal("24.50"), 1, True),
        (8, Decimal("19.99"), 1, False),
    ]
    load(write(tmp_path, [ROW]), restock=True)
    assert Product.objects.get(pk=7).stock == stock_of(7)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param([ROW, {"name": "Nameless"}], "product 2 has no product_id", id="a field is missing"),
        pytest.param([ROW, 5], "product 2 has no product_id", id="no product"),
        pytest.param([ROW | {"price": -1}], "product 1 needs a whole product_id and a price above 0", id="below 0"),
        pytest.param([ROW | {"price": "free"}], "product 1 needs a whole product_id", id="a price in words"),
        pytest.param([ROW, ROW | {"name": "Pan"}], "two products have the product_id 7", id="an id twice"),
        pytest.param([ROW, ROW | {"product_id": 8}], "two products have the name kilnwerk", id="a name twice"),
        pytest.param([], "holds no list of products", id="empty"),
        pytest.param({"products": []}, "holds no list of products", id="another shape"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_and_writes_nothing(tmp_path: Path, rows: object, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("load_catalogue", "--from", str(write(tmp_path, rows)))
    assert Product.objects.count() == Department.objects.count() == 0


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no catalogue that can be read"):
        call_command("load_catalogue", "--from", str(tmp_path / "none.json"))


@pytest.mark.django_db
def test_the_models_need_no_migration_that_is_not_there() -> None:
    said = StringIO()
    call_command("makemigrations", "demo_shop", check_changes=True, dry_run=True, stdout=said)
    assert said.getvalue() == "No changes detected in app 'demo_shop'\n"


def test_the_page_for_our_own_faults_needs_nothing_to_work() -> None:
    page = render_to_string("500.html")
    assert "Your basket is kept." in page
    assert "{%" not in page


def test_a_picture_is_always_the_same_and_another_for_another_number() -> None:
    one = pictures.draw("home", "kettle", 1)
    assert one == pictures.draw("home", "kettle", 1)
    assert len({pictures.draw("home", "kettle", number) for number in range(20)}) > 15
    assert one is not None
    assert ET.fromstring(one).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own drawing)
    assert "style" not in one


@pytest.mark.parametrize("department", list(pictures.EMBLEMS))
def test_every_shape_can_be_drawn(department: str) -> None:
    drawn = pictures.shapes(department)
    assert pictures.EMBLEMS[department] in drawn
    for shape in drawn:
        picture = pictures.draw(department, shape, 3)
        assert picture is not None
        assert "{" not in picture
        ET.fromstring(picture)  # noqa: S314 (our own drawing)


def test_a_picture_is_kept_by_the_browser_and_needs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0, using=DEFAULT_DB_ALIAS):
        response = client.get(KETTLE)
        again = client.get(KETTLE, headers={"If-None-Match": response.headers["ETag"]})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/svg+xml")
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/pictures/sports/yacht/7.svg", "/pictures/cars/kettle/7.svg"])
def test_what_cannot_be_drawn_is_not_found(db: None, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["department", "category", "product", "cart", "order"])
def test_the_desk_lists_what_the_shop_has(client: Client, model: str) -> None:
    load(CATALOGUE)
    Order.objects.create(number="260302-ABCDEF", name="Ada", payment="invoice", goods=5, delivery=0)
    client.force_login(User.objects.create_superuser("desk@example.com"))
    assert client.get(f"/admin/demo_shop/{model}/").status_code == 200
    if model == "order":
        placed = Order.objects.get()
        assert client.get(f"/admin/demo_shop/order/{placed.pk}/change/").status_code == 200
        assert client.get("/admin/demo_shop/order/add/").status_code == 403
