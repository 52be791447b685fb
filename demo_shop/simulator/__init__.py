"""Shoppers with hidden intent, and the log they leave. No Django inside; see docs/simulator.md."""

from demo_shop.simulator.catalogue import Catalogue, Product, build_catalogue, read_catalogue, write_catalogue
from demo_shop.simulator.figures import Figures
from demo_shop.simulator.log import write_log
from demo_shop.simulator.plan import Plan, SimulationRefused
from demo_shop.simulator.world import Slice, hidden_intent, simulate

__all__ = [
    "Catalogue",
    "Figures",
    "Plan",
    "Product",
    "SimulationRefused",
    "Slice",
    "build_catalogue",
    "hidden_intent",
    "read_catalogue",
    "simulate",
    "write_catalogue",
    "write_log",
]
