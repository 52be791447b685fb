"""One session after another step by step, all sessions of a batch at once."""

from __future__ import annotations

import numpy as np

from demo_shop.simulator.catalogue import Catalogue
from demo_shop.simulator.chance import Floats, Ints, Keys, join, mix, normal, uniform
from demo_shop.simulator.moves import Move, choose, gap_ms, landing
from demo_shop.simulator.rhythm import Rhythm
from demo_shop.simulator.rows import ROW, Table
from demo_shop.simulator.shoppers import Party
from demo_shop.simulator.trials import Showing
from purchase_intent.events.names import EventName, Page

__all__ = ["Journey"]

_LONGEST = 250
_SIGNS_IN = 0.75  # of those with an account, at the first step of the checkout
_SIGNS_UP = 0.12  # of those without one
_STAYS_SIGNED = 0.6

_PLAIN = {
    Move.HOME: (EventName.PAGE_VIEW, Page.HOME),
    Move.ACCOUNT: (EventName.PAGE_VIEW, Page.ACCOUNT),
    Move.INFO: (EventName.PAGE_VIEW, Page.INFORMATION),
    Move.BASKET: (EventName.VIEW_CART, Page.BASKET),
    Move.CHECKOUT: (EventName.CHECKOUT, Page.CHECKOUT),
    Move.PAYMENT: (EventName.PAYMENT_INFO, Page.PAYMENT),
    Move.REVIEW: (EventName.CHECKOUT, Page.REVIEW),
}
"""Moves that leave one event and change nothing but the page."""

_ON_PRODUCT = {Move.INTERACT: EventName.INTERACTION, Move.WISH: EventName.WISHLIST}


class Journey:
    """Runs a party from landing to leaving; `rows()` then holds their events."""

    def __init__(
        self, party: Party, catalogue: Catalogue, rhythm: Rhythm, edges: Floats, showing: Showing | None = None
    ) -> None:
        self.party = party
        self.catalogue = catalogue
        self.rhythm = rhythm
        self.edges = edges
        self.showing = showing
        self.match = np.zeros(len(party))
        self._parts: list[Table] = []

    def run(self) -> None:
        """Let every session run to its end."""
        party = self.party
        self._price_carts(np.flatnonzero(party.quantity.sum(axis=1) > 0))
        who = np.arange(len(party))
        moves = landing(party)
        for step in range(_LONGEST):
            keys = join(party.key[who], step)
            self._take(moves, who, keys)
            if self.showing is not None:
                self.showing.expose(who)
            party.desire[who] += 0.10 * normal(keys, 1)
            keys = join(party.key[who], step + 1)
            tilt = None if self.showing is None else self.showing.tilt[who]
            moves = choose(party, who, uniform(keys, 2), self.match[who], landed=step == 0, tilt=tilt)
            who, moves, keys = (values[moves != Move.LEAVE] for values in (who, moves, keys))
            if not len(who):
                return
            party.time[who] += gap_ms(party.page[who], party.desire[who], normal(keys, 3))

    def rows(self) -> Table:
        """The events, in the order in which each session made them."""
        # Filled by hand: concatenating structured arrays compares their types pair by pair, thousands of times.
        rows = np.empty(sum(map(len, self._parts)), dtype=ROW)
        place = 0
        for part in self._parts:
            rows[place : place + len(part)] = part
            place += len(part)
        return rows

    def _take(self, moves: Ints, who: Ints, keys: Keys) -> None:
        order = np.argsort(moves, kind="stable")
        cuts = np.searchsorted(moves[order], np.arange(len(Move) + 1))
        for move in Move:
            chosen = order[cuts[move] : cuts[move + 1]]
            if len(chosen):
                self._step(move, who[chosen], keys[chosen])

    def _step(self, move: Move, who: Ints, keys: Keys) -> None:
        if move in _PLAIN:
            if move in (Move.ACCOUNT, Move.CHECKOUT):
                self._sign_in(who, keys, always=move is Move.ACCOUNT)
            self._emit(who, *_PLAIN[move])
        elif move in _ON_PRODUCT:
            self._emit(who, _ON_PRODUCT[move], Page.PRODUCT, product=self.party.product[who])
        else:
            {
                Move.LIST: self._list,
                Move.SEARCH: self._search,
                Move.SELECT: self._select,
                Move.FAVOURITE: self._favourite,
                Move.CART: self._cart,
                Move.REMOVE: self._remove,
                Move.PURCHASE: self._purchase,
            }[move](who, keys)

    def _emit(self, who: Ints, kind: EventName, page: Page, product: Ints | None = None) -> Table:
        party = self.party
        rows = np.zeros(len(who), dtype=ROW)
        for name in ("time", "session", "user", "device", "channel", "country"):
            rows[name] = getattr(party, name)[who]
        rows["kind"] = kind
        rows["page"] = page
        rows["search"] = rows["shelf"] = rows["product"] = -1
        if product is not None:
            rows["product"] = product
            rows["shelf"] = self.catalogue.shelf[product]
            rows["price"] = self._prices(product, rows["time"])
        party.page[who] = page
        self._parts.append(rows)
        return rows

    def _prices(self, product: Ints, time: Ints) -> Floats:
        department = self.catalogue.department_of_shelf[self.catalogue.shelf[product]]
        return np.asarray(np.round(self.catalogue.price[product] * self.rhythm.price_factor(time, department), 2))

    def _list(self, who: Ints, keys: Keys) -> None:
        party = self.party
        per_department = len(self.catalogue.shelves) // len(self.catalogue.departments)
        beside = party.shelf[who] // per_department * per_department
        beside += (uniform(keys, 10) * per_department).astype(np.int64)
        anywhere = (uniform(keys, 11) * len(self.catalogue.shelves)).astype(np.int64)
        turn = uniform(keys, 12)
        party.shelf[who] = np.select([turn < 0.6, turn < 0.9], [party.shelf[who], beside], anywhere)
        self._emit(who, EventName.PAGE_VIEW, Page.LISTING)["shelf"] = party.shelf[who]

    def _search(self, who: Ints, keys: Keys) -> None:
        terms = len(self.catalogue.terms) // len(self.catalogue.shelves)
        term = self.party.shelf[who] * terms + (uniform(keys, 13) ** 1.5 * terms).astype(np.int64)
        self._emit(who, EventName.SEARCH, Page.SEARCH)["search"] = term

    def _select(self, who: Ints, keys: Keys) -> None:
        party = self.party
        shelf = party.shelf[who]
        first, last = self.catalogue.spans
        month = self.rhythm.month[self.rhythm.index(party.first[who])] * (len(self.catalogue) + 1)
        low, high = self.edges[month + first[shelf]], self.edges[month + last[shelf]]
        product = np.searchsorted(self.edges, low + uniform(keys, 14) * (high - low), side="right") - 1 - month
        product = np.clip(product, first[shelf], last[shelf] - 1)
        listed = np.isin(party.page[who], (Page.LISTING, Page.SEARCH, Page.HOME)) & (uniform(keys, 15) < 0.8)
        self._emit(who[listed], EventName.SELECT_ITEM, Page.LISTING, product=product[listed])
        party.time[who[listed]] += (400 + 2600 * uniform(keys[listed], 16)).astype(np.int64)
        self._view(who, product)

    def _favourite(self, who: Ints, _keys: Keys) -> None:
        self._view(who, self.party.memory["favourite"][who])

    def _view(self, who: Ints, product: Ints) -> None:
        """See a product: what it does to the wish depends on its appeal and on a taste nobody wrote down."""
        party = self.party
        rows = self._emit(who, EventName.VIEW, Page.PRODUCT, product=product)
        taste = normal(join(party.visitor_key[who], product), 1)
        bargain = rows["price"] < 0.9 * self.catalogue.price[product]
        match = 0.5 * self.catalogue.appeal[product] + 0.8 * taste + 0.4 * bargain
        party.product[who] = product
        party.shelf[who] = self.catalogue.shelf[product]
        self.match[who] = match
        party.desire[who] += 0.12 * match - 0.02
        better = match > party.pleased[who]
        party.pleased[who[better]] = match[better]
        party.memory["favourite"][who[better]] = product[better]

    def _cart(self, who: Ints, keys: Keys) -> None:
        party = self.party
        product = party.product[who]
        has_it = party.cart[who] == product[:, None]
        # argmax finds the product's own line, or else the first free one.
        line = np.where(has_it.any(axis=1), has_it.argmax(axis=1), (party.cart[who] < 0).argmax(axis=1))
        units = np.select([uniform(keys, 17) < 0.90, uniform(keys, 18) < 0.75], [1, 2], 3)
        party.cart[who, line] = product
        party.quantity[who, line] += units
        self._emit(who, EventName.CART, Page.PRODUCT, product=product)["quantity"] = units
        self._price_carts(who)

    def _remove(self, who: Ints, keys: Keys) -> None:
        party = self.party
        held = (party.cart[who] >= 0).astype(np.float64)
        edges = np.cumsum(held, axis=1)
        line = (edges <= (uniform(keys, 19) * edges[:, -1])[:, None]).sum(axis=1)
        product, units = party.cart[who, line], party.quantity[who, line]
        party.cart[who, line] = -1
        party.quantity[who, line] = 0
        party.desire[who] -= 0.15
        self._emit(who, EventName.REMOVE_FROM_CART, Page.BASKET, product=product)["quantity"] = units
        self._price_carts(who)

    def _price_carts(self, who: Ints) -> None:
        party = self.party
        prices = self._prices(np.maximum(party.cart[who], 0), party.time[who][:, None])
        party.cart_value[who] = (prices * party.quantity[who]).sum(axis=1)

    def _sign_in(self, who: Ints, keys: Keys, *, always: bool) -> None:
        party = self.party
        stranger = party.user[who] % 4 != 0
        account = party.memory["account"][who]
        draws = uniform(keys, 23)
        returns = stranger & account & (always | (draws < _SIGNS_IN))
        joins = stranger & ~account & (draws < _SIGNS_UP)
        self._emit(who[joins], EventName.SIGN_UP, Page.REGISTER)
        party.memory["account"][who[joins]] = True
        entering = who[returns | joins]
        party.time[entering] += (9_000 + 30_000 * uniform(keys[returns | joins], 24)).astype(np.int64)
        party.user[entering] -= party.user[entering] % 4
        self._emit(entering, EventName.LOGIN, Page.SIGN_IN)
        stays = uniform(keys[returns | joins], 25) < _STAYS_SIGNED
        party.memory["signed"][entering, party.slot[entering]] = stays
        party.time[entering] += (1_500 + 4_000 * uniform(keys[returns | joins], 26)).astype(np.int64)

    def _purchase(self, who: Ints, _keys: Keys) -> None:
        """Write the order line by line, at one moment; the revenue of the whole order stands on each line."""
        party = self.party
        party.orders[who] += 1
        line_of, line = np.nonzero(party.cart[who] >= 0)
        buyer = who[line_of]
        rows = self._emit(buyer, EventName.PURCHASE, Page.CONFIRMATION, product=party.cart[buyer, line])
        rows["quantity"] = party.quantity[buyer, line]
        cents = np.round(rows["price"] * 100).astype(np.int64) * rows["quantity"]
        total = np.bincount(line_of, cents, minlength=len(who))
        rows["revenue"] = np.round(total[line_of] / 100, 2)
        orders = mix((party.session[who] * 64 + party.orders[who]).astype(np.uint64))
        rows["order"] = orders.view(np.int64)[line_of]
        party.cart[who] = -1
        party.quantity[who] = 0
        party.cart_value[who] = 0.0
        party.desire[who] -= 1.5
