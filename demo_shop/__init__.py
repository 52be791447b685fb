"""A shop to try the product on: its settings, its catalogue and its simulated shoppers."""

from importlib.util import find_spec

if find_spec("celery"):
    # So that tasks sent from a page go to this shop's broker.
    from demo_shop.celery import app as celery_app

    __all__ = ["celery_app"]
