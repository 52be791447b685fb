"""What happens in the shop, told to whoever listens. Each is sent by `demo_shop.acts`, after the fact.

A receiver that fails is logged and changes nothing for the shopper (`send_robust`).

- `basket_added`, `basket_removed`: `request`, `product`, `quantity` (how many more, or fewer)
- `checkout_begun`: `request`, `basket` (a `demo_shop.basket.Basket`); once a checkout
- `payment_chosen`: `request`, `basket`, `payment` (a value of `Order.Payment`)
- `order_placed`: `request`, `order`, `lines` (its lines, with product, category and department); once an order
- `order_shown`: `request`, `order`; each time its shopper is thanked for it
- `product_viewed`: `request`, `product` (with category and department)
- `shelf_viewed`: `request`, `category_code` (such as `home/kitchen`; the department's where no category was chosen,
  empty for everything)
- `basket_viewed`: `request`, `basket`
- `step_viewed`: `request`, `step` (the URL name of a step of the checkout), `basket`
- `searched`: `request`, `query`, `found` (how many products); not again for its further pages or filters
- `registered`: `request`, `user`; signing in and out are Django's own signals
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = [
    "basket_added",
    "basket_removed",
    "basket_viewed",
    "checkout_begun",
    "order_placed",
    "order_shown",
    "payment_chosen",
    "product_viewed",
    "registered",
    "searched",
    "shelf_viewed",
    "step_viewed",
]

basket_added = Signal()
basket_removed = Signal()
checkout_begun = Signal()
payment_chosen = Signal()
order_placed = Signal()
order_shown = Signal()
product_viewed = Signal()
shelf_viewed = Signal()
basket_viewed = Signal()
step_viewed = Signal()
searched = Signal()
registered = Signal()
