"""The service that most would write: FastAPI, a data frame of one row, scikit-learn's soft vote over the learners.

It is given ready features by name, while ours is given events and works the features out. `LOAD_VOTE` names the file
of the fitted vote; `features` of it are its columns.
"""

from __future__ import annotations

import os
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

__all__ = ["Asked", "app", "predict"]

app = FastAPI()
_vote: Any = joblib.load(os.environ["LOAD_VOTE"])


class Asked(BaseModel):
    """One visit, as features."""

    features: dict[str, float]


@app.post("/predict")
def predict(asked: Asked) -> dict[str, float]:
    """The probability that it buys."""
    frame = pd.DataFrame([asked.features], columns=list(_vote.feature_names_in_))
    return {"probability": float(_vote.predict_proba(frame)[0, 1])}
