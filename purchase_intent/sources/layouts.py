"""The known log layouts: which columns each has and what they mean.

A layout says only what differs: the names every layout shares (`event_time`, `event_type`, `user_id`, ...) mean the
same everywhere. `docs/logs.md` describes each layout column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from purchase_intent.events.names import ALIASES, PAGE_OF_EVENT, EventName, Page

__all__ = ["LAYOUTS", "Layout", "kind_sql", "nearest_layout"]

KEYS = ("product", "category", "brand", "device", "channel", "country")
"""Staged columns that hold the hash of a string."""

SOURCE_OF_KEY: Mapping[str, str] = MappingProxyType(
    {
        "product": "product_id",
        "category": "category_code",
        "brand": "brand",
        "device": "device",
        "channel": "channel",
        "country": "country",
    }
)


USUAL = (EventName.VIEW, EventName.PAGE_VIEW, EventName.CART, EventName.SELECT_ITEM, EventName.PURCHASE)
"""Tried first, as they are spelt most often."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One log format. `page` turns the text of `page_column` and the event's `kind` into a Page, as SQL."""

    name: str
    required: frozenset[str]
    optional: frozenset[str]
    utc: bool  # times without a zone are documented to be UTC
    page_column: str | None
    page: Callable[[], str]
    zone: str | None = None  # of the one shop that writes this layout

    @property
    def columns(self) -> frozenset[str]:
        """Every column the layout reads; others are left unread."""
        return self.required | self.optional


def kind_sql(text: str) -> str:
    """SQL that turns the event name in `text` into its number, NULL where nobody knows it."""
    usual = " ".join(f"WHEN '{name.label}' THEN {name.value}" for name in USUAL)
    cases = " ".join(f"WHEN {quoted(alias)} THEN {name.value}" for alias, name in ALIASES.items())
    return f"(CASE {text} {usual} ELSE CASE lower(trim({text})) {cases} END END)::UTINYINT"


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def implied_page_sql() -> str:
    """The page an event implies where the log names none."""
    cases = " ".join(f"WHEN {name.value} THEN {page.value}" for name, page in PAGE_OF_EVENT.items())
    return f"CASE kind {cases} ELSE {Page.OTHER.value} END"


def labelled_page_sql() -> str:
    """The generic layout: a page label, an unknown one being OTHER; none means what the event implies."""
    cases = " ".join(f"WHEN {quoted(page.label)} THEN {page.value}" for page in Page)
    named = f"CASE lower(trim(page_text)) {cases} ELSE {Page.OTHER.value} END"
    return f"CASE WHEN page_text IS NULL THEN {implied_page_sql()} ELSE {named} END"


GSTORE_PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/google+redesign": Page.LISTING,
        "/google redesign": Page.LISTING,
        "/home": Page.HOME,
        "/basket": Page.BASKET,
        "/store.html": Page.LISTING,
        "/signin": Page.SIGN_IN,
        "/asearch": Page.SEARCH,
        "/register": Page.REGISTER,
        "/guestregister": Page.REGISTER,
        "/myaccount": Page.ACCOUNT,
        "/yourinfo": Page.CHECKOUT,
        "/payment": Page.PAYMENT,
        "/revieworder": Page.REVIEW,
        "/ordercompleted": Page.CONFIRMATION,
        "/store-policies": Page.INFORMATION,
        "/storeitem": Page.PRODUCT,
    }
)
"""How a path of the Google Merchandise Store begins, and the page it is."""


def gstore_page_sql() -> str:
    """A product's detail view is a product page wherever it opens; else the path decides."""
    cases = " ".join(
        f"WHEN starts_with(page_text, {quoted(start)}) THEN {page.value}" for start, page in GSTORE_PAGES.items()
    )
    return f"CASE WHEN kind = {EventName.VIEW.value} THEN {Page.PRODUCT.value} {cases} ELSE {Page.OTHER.value} END"


_ALWAYS = frozenset({"event_time", "event_type", "user_id"})

_GSTORE = Layout(
    name="gstore",
    required=_ALWAYS
    | {"event_id", "user_session", "product_id", "category_code", "price", "quantity", "order_id", "revenue"}
    | {"page_path", "search_term", "device", "channel", "country"},
    optional=frozenset({"brand"}),
    utc=True,
    page_column="page_path",
    page=gstore_page_sql,
    zone="America/Los_Angeles",
)

_REES46 = Layout(
    name="rees46",
    required=_ALWAYS | {"user_session", "product_id", "category_code", "brand", "price"},
    optional=frozenset({"category_id"}),
    utc=False,
    page_column=None,
    page=implied_page_sql,
)

_GENERIC = Layout(
    name="generic",
    required=_ALWAYS | {"event_id"},
    optional=frozenset({"user_session", "product_id", "category_code", "brand", "price", "quantity", "order_id"})
    | {"revenue", "page", "search_term", "device", "channel", "country"},
    utc=False,
    page_column="page",
    page=labelled_page_sql,
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.name: layout for layout in (_GSTORE, _REES46, _GENERIC)})
"""Layout by name."""


def nearest_layout(columns: frozenset[str]) -> Layout:
    """The layout a file is meant to have, by what only that layout has or lacks; some column may still be missing."""
    rees46 = LAYOUTS["rees46"]
    if "page_path" in columns and "page" not in columns:
        return LAYOUTS["gstore"]
    if "event_id" not in columns and ("category_id" in columns or rees46.required <= columns):
        return rees46
    return LAYOUTS["generic"]
