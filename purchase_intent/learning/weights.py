"""How much each member counts: non-negative weights, fitted and shrunk towards equal.

Members of one ensemble say nearly the same, so the likelihood is flat between them, and with a few hundred buyers
free weights follow noise. The fit is therefore a posterior mode: the log-likelihood of the averaged log-odds, counted
as the evidence of as many buyers as there were (not of their many moments), under a Gaussian prior around equal.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.table import Column, Labels

__all__ = ["SPREAD", "evidence", "fit_weights", "nats"]

SPREAD = 0.1
"""Standard deviation of the prior: how far from equal a weight is expected to stray before any data."""


def evidence(labels: Labels, weights: Column, buying_sessions: int) -> Column:
    """Case weights scaled so that the positives weigh as many as there were buying sessions."""
    positive = float((weights * labels).sum())
    if not positive > 0:
        raise TrainingRefused("weights: no positive case has a weight", field="weights")
    return weights * (buying_sessions / positive)


def nats(log_odds: Column, labels: Labels) -> Column:
    """The log-loss of each case, without overflow for any margin."""
    return np.logaddexp(0.0, np.where(labels == 1, -log_odds, log_odds))


def fit_weights(
    margins: Column, labels: Labels, weights: Column, buying_sessions: int, *, spread: float = SPREAD
) -> Column:
    """Weights of members, float64 [m], not negative, summing to 1.

    `margins` float64 [n, m]: log-odds of each member on cases none of them was fitted on. Minimises
    sum(evidence * log-loss) + sum((w - 1/m)^2) / (2 spread^2) over the simplex; convex, so the answer is the only one.
    """
    count = margins.shape[1]
    equal = np.full(count, 1 / count)
    if count == 1:
        return equal
    mass = evidence(labels, weights, buying_sessions)

    def loss(candidate: Column) -> tuple[float, Column]:
        mixed = margins @ candidate
        gap = candidate - equal
        value = float((mass * nats(mixed, labels)).sum() + (gap**2).sum() / (2 * spread**2))
        slope = margins.T @ (mass * (expit(mixed) - labels)) + gap / spread**2
        return value / buying_sessions, slope / buying_sessions

    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * count,
        constraints={
            "type": "eq",
            "fun": lambda candidate: candidate.sum() - 1,
            "jac": lambda _: np.ones(count),
        },
        options={"maxiter": 200, "ftol": 1e-10},
    )
    inside = np.clip(found.x, 0.0, None)
    # Where the solver stops without progress, equal weights are the answer that needs no data.
    return np.asarray(inside / inside.sum() if loss(inside / inside.sum())[0] <= loss(equal)[0] else equal)
