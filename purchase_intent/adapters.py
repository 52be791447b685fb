"""The shop as the app sees it: one class, each method a question that only the host project can answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.http import HttpRequest
from django.utils.module_loading import import_string

from purchase_intent.conf import config
from purchase_intent.events import Page
from purchase_intent.exceptions import ConfigurationError

__all__ = ["ProductFacts", "Shop", "current_shop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """What the catalogue says of one product: prices of one unit, in the shop's currency."""

    category: str = ""
    brand: str = ""
    price: float | None = None


class Shop:
    """The one override point: subclass it and name the subclass in `PURCHASE_INTENT["SHOP"]`.

    Every default is safe to keep but `consent`, which refuses: without an answer of the shop's own nothing is stored.
    """

    currency = ""
    """ISO 4217 code of the prices, such as "EUR"; orders are stored with it."""

    cookieless = False
    """Whether visitors are told apart without a cookie, by a hash whose salt is thrown away after the day."""

    def connect(self) -> None:
        """Connect the shop's own signals to `track` and `track_order`; called once, when Django has started."""

    def consent(self, request: HttpRequest) -> bool:
        """Whether this visitor has agreed to being recorded. Global Privacy Control is honoured whatever it says."""
        return False

    def customer(self, request: HttpRequest) -> str:
        """The shop's own key of who is logged in, at most 500 characters; empty for nobody."""
        user = getattr(request, "user", None)
        return str(user.pk) if user is not None and user.is_authenticated else ""

    def is_staff(self, request: HttpRequest) -> bool:
        """Whether this is one of the shop's own people: recorded, labelled, and kept out of learning."""
        user = getattr(request, "user", None)
        return bool(user is not None and user.is_authenticated and user.is_staff)

    def site(self, request: HttpRequest) -> str:
        """Which of several sites on one database this is, at most 64 characters; empty where there is one."""
        return ""

    def page(self, request: HttpRequest) -> Page:
        """The role of the page asked for. By default the URL's name, where it is the name of a role."""
        match = request.resolver_match
        name = (match.url_name or "") if match is not None else ""
        return Page.__members__.get(name.upper(), Page.OTHER)

    def referrer(self, request: HttpRequest) -> str:
        """The address of the page that led here, from which a visit has its channel; it is not stored.

        To be overridden where a question about consent comes between that page and the first one recorded.
        """
        return str(request.META.get("HTTP_REFERER", ""))  # making `request.headers` costs a page more than the rest

    def address(self, request: HttpRequest) -> str:
        """The visitor's network address, where `cookieless` is on; hashed with the day's salt and not kept.

        To be overridden behind a proxy, which has every visitor come from its own address.
        """
        return str(request.META.get("REMOTE_ADDR", ""))

    def country(self, request: HttpRequest) -> str:
        """The visitor's country, where a proxy or the shop knows it; no address is looked up."""
        return ""

    def product(self, product: str) -> ProductFacts:
        """What the catalogue says of a product, for `track` to fill in what its caller left out."""
        return ProductFacts()

    def product_names(self, products: Collection[str]) -> Mapping[str, str]:
        """The names by which the shop's people know these products; asked once for a page of the desk."""
        return {}


def current_shop() -> Shop:
    """The adapter that `PURCHASE_INTENT["SHOP"]` names; one instance a class.

    Raises ConfigurationError where the name leads to no subclass of Shop.
    """
    return _built(config().shop)


@lru_cache(maxsize=8)
def _built(path: str) -> Shop:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f"SHOP names {path}, which cannot be imported: {error}", path=path) from error
    if not (isinstance(found, type) and issubclass(found, Shop)):
        raise ConfigurationError(
            f"SHOP names {path}, which is no subclass of purchase_intent.adapters.Shop.", path=path
        )
    return found()
