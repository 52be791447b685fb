"""What the database holds, one module a concept."""

from purchase_intent.models.catalogue_day import CatalogueDay, CatalogueDayQuerySet, Subject
from purchase_intent.models.event import Event, EventQuerySet
from purchase_intent.models.model_version import Horizon, ModelVersion, ModelVersionQuerySet, Status
from purchase_intent.models.order import Order, OrderQuerySet
from purchase_intent.models.score import Score, ScoreQuerySet
from purchase_intent.models.session import Outcome, Session, SessionQuerySet, Stage
from purchase_intent.models.visitor import Visitor, VisitorQuerySet

__all__ = [
    "CatalogueDay",
    "CatalogueDayQuerySet",
    "Event",
    "EventQuerySet",
    "Horizon",
    "ModelVersion",
    "ModelVersionQuerySet",
    "Order",
    "OrderQuerySet",
    "Outcome",
    "Score",
    "ScoreQuerySet",
    "Session",
    "SessionQuerySet",
    "Stage",
    "Status",
    "Subject",
    "Visitor",
    "VisitorQuerySet",
]
