"""The shelves: what they hold and how products are drawn from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demo_shop.simulator import Catalogue, read_catalogue, write_catalogue
from demo_shop.simulator.assortment import ASSORTMENT

ROOT = Path(__file__).resolve().parents[3]


def test_five_departments_of_five_shelves(catalogue: Catalogue) -> None:
    assert catalogue.departments == ("electronics", "fashion", "home", "sports", "beauty")
    assert len(catalogue.shelves) == 25
    assert len(catalogue) == 250
    assert np.bincount(catalogue.shelf).tolist() == [10] * 25


def test_products_are_told_apart(catalogue: Catalogue) -> None:
    products = catalogue.products
    assert len({product.product_id for product in products}) == 250
    assert len({product.name for product in products}) == 250
    assert 1 <= sum(product.brand is None for product in products) <= 30


def test_prices_scatter_log_normally_around_the_shelf(catalogue: Catalogue) -> None:
    medians = np.array([shelf.median for department in ASSORTMENT for shelf in department.shelves])
    spreads = np.array([department.spread for department in ASSORTMENT for _ in department.shelves])
    scores = np.log(catalogue.price / medians[catalogue.shelf]) / spreads[catalogue.shelf]
    assert abs(scores.mean()) < 0.2
    assert 0.85 < scores.std() < 1.15
    assert (catalogue.price > 2).all()


def test_popularity_is_a_zipf_law_on_every_shelf(catalogue: Catalogue) -> None:
    wanted = np.round(np.arange(1, 11) ** -0.9, 6)
    for shelf in range(25):
        found = np.sort(catalogue.popularity[catalogue.shelf == shelf])[::-1]
        np.testing.assert_array_equal(found, wanted)


def test_the_edges_rise_and_give_each_month_one(catalogue: Catalogue) -> None:
    edges = catalogue.edges(seed=1, months=3)
    assert (np.diff(edges.reshape(3, 251)) > 0).all()
    np.testing.assert_allclose(edges.reshape(3, 251)[:, [0, -1]], [[0, 1], [1, 2], [2, 3]])
    np.testing.assert_array_equal(edges[:251], catalogue.edges(seed=1, months=1))


def test_a_written_catalogue_reads_back(catalogue: Catalogue, tmp_path: Path) -> None:
    write_catalogue(catalogue, tmp_path / "catalogue.json")
    assert read_catalogue(tmp_path / "catalogue.json").products == catalogue.products


def test_the_shipped_catalogue_is_the_shops_own(catalogue: Catalogue) -> None:
    assert read_catalogue(ROOT / "fixtures" / "catalogue.json").products == catalogue.products


@pytest.mark.parametrize("index", [0, 9, 10, 249])
def test_category_codes_follow_the_shelf(catalogue: Catalogue, index: int) -> None:
    assert catalogue.products[index].category_code == catalogue.categories[catalogue.shelf[index]]
