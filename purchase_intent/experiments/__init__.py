"""Experiments: what was decided before they began, who gets which arm, and who was shown it first."""
