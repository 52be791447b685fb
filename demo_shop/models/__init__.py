"""What the shop remembers: its shelves, the baskets, the orders."""

from demo_shop.models.basket import MOST_OF_ONE, Cart, CartLine
from demo_shop.models.orders import Order, OrderLine
from demo_shop.models.shelves import Category, Department, Product

__all__ = ["MOST_OF_ONE", "Cart", "CartLine", "Category", "Department", "Order", "OrderLine", "Product"]
