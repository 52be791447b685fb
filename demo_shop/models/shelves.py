"""Departments, their categories and the products on them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.urls import reverse

from demo_shop.pictures import EMBLEMS

__all__ = ["Category", "Department", "Product"]

_FEW = 5


class Department(models.Model):
    """One of the shop's few large parts: electronics, fashion, home."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    line = models.CharField("one line about it", max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("listing", args=[self.slug])

    @property
    def picture(self) -> str:
        """Where the picture that stands for it is drawn; empty where there is none."""
        emblem = EMBLEMS.get(self.slug)
        return reverse("picture", args=[self.slug, emblem, 0]) if emblem else ""


class Category(models.Model):
    """A shelf of a department; `words` are what people search for when they mean it."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="categories")
    slug = models.SlugField()
    name = models.CharField(max_length=60)
    words = models.CharField("search words", max_length=200, blank=True)
    story = models.TextField("what is good about these", blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "categories"
        ordering: ClassVar = ["department", "position", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "slug"], name="category_once_in_a_department")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("listing", args=[self.department.slug, self.slug])


class Product(models.Model):
    """One article. Its key is its number in the catalogue, the one that event logs know it by."""

    id = models.BigIntegerField("number", primary_key=True)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    brand = models.CharField(max_length=60, blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    shape = models.SlugField("drawn as", max_length=40)
    price = models.DecimalField("price in euros", max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)
    popularity = models.FloatField("popularity within its category", default=0.0)
    on_sale = models.BooleanField("shown in the shop", default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [
            models.Index(fields=["category", "-popularity"], name="product_popular_on_shelf"),
            models.Index(fields=["category", "price"], name="product_price_on_shelf"),
            models.Index(fields=["brand"], name="product_brand"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(price__gt=Decimal(0)), name="product_costs_something")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.slug])

    @property
    def category_code(self) -> str:
        """The path of its category as event logs spell it; wants `category__department` selected."""
        return f"{self.category.department.slug}/{self.category.slug}"

    @property
    def picture(self) -> str:
        """Where its picture is drawn; wants `category__department` selected."""
        return reverse("picture", args=[self.category.department.slug, self.shape, self.pk])

    @property
    def sold_out(self) -> bool:
        return self.stock == 0

    @property
    def few_left(self) -> bool:
        return 0 < self.stock <= _FEW

    @property
    def badge(self) -> tuple[str, str] | None:
        """The one thing a card says beside the price, as (kind, words)."""
        if self.sold_out:
            return "gone", "Sold out"
        if self.few_left:
            return "few", f"Only {self.stock} left"
        if self.popularity >= 1:
            return "liked", "Bestseller"
        return None
