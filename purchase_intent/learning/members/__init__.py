"""The members of the ensemble, by name, in the order they are stored and reported."""

from __future__ import annotations

from types import MappingProxyType

from purchase_intent.learning.members.base import Member, Params, Watch
from purchase_intent.learning.members.catboost import CatBoostMember
from purchase_intent.learning.members.lightgbm import LightGBMMember
from purchase_intent.learning.members.space import Range, Space
from purchase_intent.learning.members.xgboost import ForestMember, XGBoostMember

__all__ = ["MEMBERS", "Member", "Params", "Range", "Space", "Watch"]

MEMBERS: MappingProxyType[str, type[Member]] = MappingProxyType(
    {member.name: member for member in (CatBoostMember, XGBoostMember, LightGBMMember, ForestMember)}
)
"""Name to class; what is listed here passes one contract list of tests."""
