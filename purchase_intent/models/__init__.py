"""What the database holds, one module a concept."""

from purchase_intent.models.api_key import ApiKey, ApiKeyQuerySet, Scope
from purchase_intent.models.catalogue_day import CatalogueDay, CatalogueDayQuerySet, Subject
from purchase_intent.models.daily_salt import DailySalt, DailySaltQuerySet
from purchase_intent.models.dead_letter import DeadLetter, Origin
from purchase_intent.models.event import Event, EventQuerySet
from purchase_intent.models.experiment import (
    ExclusionGroup,
    Experiment,
    ExperimentArm,
    ExperimentChange,
    ExperimentMetric,
    ExperimentQuerySet,
    ExperimentState,
    Holdout,
    MetricKind,
    MetricRole,
)
from purchase_intent.models.experiment_look import ExperimentLook, ExperimentLookQuerySet, LookKind
from purchase_intent.models.exposure import Exposure
from purchase_intent.models.merge import Merge, MergeQuerySet
from purchase_intent.models.model_change import ChangeKind, ModelChange, ModelChangeQuerySet
from purchase_intent.models.model_version import Horizon, ModelVersion, ModelVersionQuerySet, Status
from purchase_intent.models.offer_rule import OfferBy, OfferRule, OfferRuleQuerySet
from purchase_intent.models.order import Order, OrderQuerySet
from purchase_intent.models.recalibration import Recalibration, RecalibrationQuerySet
from purchase_intent.models.refusal import Refusal, RefusalQuerySet
from purchase_intent.models.score import Score, ScoreQuerySet
from purchase_intent.models.segment import (
    Segment,
    SegmentMembership,
    SegmentMembershipQuerySet,
    SegmentQuerySet,
    SegmentReport,
    SegmentVersion,
)
from purchase_intent.models.session import Outcome, Session, SessionQuerySet, Stage
from purchase_intent.models.training_run import RunState, TrainingRun, TrainingRunQuerySet, Why
from purchase_intent.models.uplift_version import UpliftStatus, UpliftVersion, UpliftVersionQuerySet
from purchase_intent.models.visitor import Visitor, VisitorQuerySet
from purchase_intent.models.watch_report import Health, WatchReport, WatchReportQuerySet

__all__ = [
    "ApiKey",
    "ApiKeyQuerySet",
    "CatalogueDay",
    "CatalogueDayQuerySet",
    "ChangeKind",
    "DailySalt",
    "DailySaltQuerySet",
    "DeadLetter",
    "Event",
    "EventQuerySet",
    "ExclusionGroup",
    "Experiment",
    "ExperimentArm",
    "ExperimentChange",
    "ExperimentLook",
    "ExperimentLookQuerySet",
    "ExperimentMetric",
    "ExperimentQuerySet",
    "ExperimentState",
    "Exposure",
    "Health",
    "Holdout",
    "Horizon",
    "LookKind",
    "Merge",
    "MergeQuerySet",
    "MetricKind",
    "MetricRole",
    "ModelChange",
    "ModelChangeQuerySet",
    "ModelVersion",
    "ModelVersionQuerySet",
    "OfferBy",
    "OfferRule",
    "OfferRuleQuerySet",
    "Order",
    "OrderQuerySet",
    "Origin",
    "Outcome",
    "Recalibration",
    "RecalibrationQuerySet",
    "Refusal",
    "RefusalQuerySet",
    "RunState",
    "Scope",
    "Score",
    "ScoreQuerySet",
    "Segment",
    "SegmentMembership",
    "SegmentMembershipQuerySet",
    "SegmentQuerySet",
    "SegmentReport",
    "SegmentVersion",
    "Session",
    "SessionQuerySet",
    "Stage",
    "Status",
    "Subject",
    "TrainingRun",
    "TrainingRunQuerySet",
    "UpliftStatus",
    "UpliftVersion",
    "UpliftVersionQuerySet",
    "Visitor",
    "VisitorQuerySet",
    "WatchReport",
    "WatchReportQuerySet",
    "Why",
]
