"""Where the app answers; a project includes this once, under any path."""

from __future__ import annotations

from django.urls import path, re_path

from purchase_intent.api.decision import DecisionView
from purchase_intent.api.events import EventsView
from purchase_intent.api.experiment_results import (
    ChangesView,
    LooksView,
    LookView,
    ReplayView,
    ResultsView,
    UpliftView,
    VerdictView,
    WeightsView,
)
from purchase_intent.api.experiments import (
    ExperimentsView,
    ExperimentView,
    ProposalView,
    RampView,
    SizingView,
    StartView,
    StopView,
)
from purchase_intent.api.exposures import ExposuresView
from purchase_intent.api.openapi import SchemaView
from purchase_intent.api.predict import PredictBatchView, PredictView
from purchase_intent.api.segments import (
    MembersView,
    SegmentFieldsView,
    SegmentPreviewView,
    SegmentReportsView,
    SegmentsView,
    SegmentVersionsView,
    SegmentView,
    SessionSegmentsView,
)
from purchase_intent.api.shares import GroupsView, GroupView, HoldoutPreviewView, HoldoutsView, HoldoutView
from purchase_intent.api.variants import VariantsView
from purchase_intent.api.views import ExplanationView, NothingView, ScoreView, SessionsView
from purchase_intent.api.visitors import VisitorExplanationView, VisitorsView, VisitorView

__all__ = ["app_name", "urlpatterns"]

app_name = "purchase_intent"

urlpatterns = [
    path("v1/events/", EventsView.as_view(), name="events"),
    path("v1/exposures/", ExposuresView.as_view(), name="exposures"),
    path("v1/decision/", DecisionView.as_view(), name="decision"),
    path("v1/predict/", PredictView.as_view(), name="predict"),
    path("v1/predict/batch/", PredictBatchView.as_view(), name="predict_batch"),
    path("v1/sessions/", SessionsView.as_view(), name="sessions"),
    # Keys of imported sessions are any text, slashes among it.
    path("v1/sessions/<path:key>/score/", ScoreView.as_view(), name="score"),
    path("v1/sessions/<path:key>/explanation/", ExplanationView.as_view(), name="explanation"),
    path("v1/sessions/<path:key>/segments/", SessionSegmentsView.as_view(), name="session_segments"),
    path("v1/segments/", SegmentsView.as_view(), name="segments"),
    path("v1/segments/<slug:key>/", SegmentView.as_view(), name="segment"),
    path("v1/segments/<slug:key>/reports/", SegmentReportsView.as_view(), name="segment_reports"),
    path("v1/segments/<slug:key>/versions/", SegmentVersionsView.as_view(), name="segment_versions"),
    path("v1/segment-fields/", SegmentFieldsView.as_view(), name="segment_fields"),
    path("v1/segment-preview/", SegmentPreviewView.as_view(), name="segment_preview"),
    path("v1/segments/<slug:key>/members/", MembersView.as_view(), name="members"),
    path("v1/visitors/", VisitorsView.as_view(), name="visitors"),
    path("v1/visitors/<int:number>/", VisitorView.as_view(), name="visitor"),
    path("v1/visitors/<int:number>/explanation/", VisitorExplanationView.as_view(), name="visitor_explanation"),
    path("v1/variants/", VariantsView.as_view(), name="variants"),
    path("v1/experiments/", ExperimentsView.as_view(), name="experiments"),
    path("v1/experiments/<slug:key>/", ExperimentView.as_view(), name="experiment"),
    path("v1/experiments/<slug:key>/proposal/", ProposalView.as_view(), name="experiment_proposal"),
    path("v1/experiments/<slug:key>/start/", StartView.as_view(), name="experiment_start"),
    path("v1/experiments/<slug:key>/ramp/", RampView.as_view(), name="experiment_ramp"),
    path("v1/experiments/<slug:key>/stop/", StopView.as_view(), name="experiment_stop"),
    path("v1/experiments/<slug:key>/results/", ResultsView.as_view(), name="experiment_results"),
    path("v1/experiments/<slug:key>/verdict/", VerdictView.as_view(), name="experiment_verdict"),
    path("v1/experiments/<slug:key>/looks/", LooksView.as_view(), name="experiment_looks"),
    path("v1/experiments/<slug:key>/looks/<int:look>/", LookView.as_view(), name="experiment_look"),
    path("v1/experiments/<slug:key>/looks/<int:look>/replay/", ReplayView.as_view(), name="experiment_replay"),
    path("v1/experiments/<slug:key>/weights/", WeightsView.as_view(), name="experiment_weights"),
    path("v1/experiments/<slug:key>/changes/", ChangesView.as_view(), name="experiment_changes"),
    path("v1/experiments/<slug:key>/uplift/", UpliftView.as_view(), name="experiment_uplift"),
    path("v1/experiment-proposal/", SizingView.as_view(), name="experiment_sizing"),
    path("v1/exclusion-groups/", GroupsView.as_view(), name="exclusion_groups"),
    path("v1/exclusion-groups/<slug:key>/", GroupView.as_view(), name="exclusion_group"),
    path("v1/holdouts/", HoldoutsView.as_view(), name="holdouts"),
    path("v1/holdouts/<slug:key>/", HoldoutView.as_view(), name="holdout"),
    path("v1/holdout-preview/", HoldoutPreviewView.as_view(), name="holdout_preview"),
    path("v1/schema/", SchemaView.as_view(), name="schema"),
    # Without the slash at the end Django's own middleware may still lead to where there is something.
    re_path(r"^v1/(?:[\s\S]*/)?$", NothingView.as_view(), name="nothing"),
]
