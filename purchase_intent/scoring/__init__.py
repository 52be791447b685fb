"""Models at work: stored bundles, and the one that serves."""
