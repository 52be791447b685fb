"""Where the app answers; a project includes this once, under any path."""

from __future__ import annotations

from django.urls import path

from purchase_intent.api.events import EventsView
from purchase_intent.api.exposures import ExposuresView
from purchase_intent.api.openapi import SchemaView
from purchase_intent.api.segments import MembersView, SegmentsView, SessionSegmentsView
from purchase_intent.api.views import ExplanationView, ScoreView, SessionsView

__all__ = ["app_name", "urlpatterns"]

app_name = "purchase_intent"

urlpatterns = [
    path("v1/events/", EventsView.as_view(), name="events"),
    path("v1/exposures/", ExposuresView.as_view(), name="exposures"),
    path("v1/sessions/", SessionsView.as_view(), name="sessions"),
    # Keys of imported sessions are any text, slashes among it.
    path("v1/sessions/<path:key>/score/", ScoreView.as_view(), name="score"),
    path("v1/sessions/<path:key>/explanation/", ExplanationView.as_view(), name="explanation"),
    path("v1/sessions/<path:key>/segments/", SessionSegmentsView.as_view(), name="session_segments"),
    path("v1/segments/", SegmentsView.as_view(), name="segments"),
    path("v1/segments/<slug:key>/members/", MembersView.as_view(), name="members"),
    path("v1/schema/", SchemaView.as_view(), name="schema"),
]
