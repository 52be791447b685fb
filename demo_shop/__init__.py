"""A shop to try the product on: its settings, its catalogue and its simulated shoppers."""
