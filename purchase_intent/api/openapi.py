"""The OpenAPI document of these endpoints alone, whatever else the project serves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent import __version__
from purchase_intent.api.views import Endpoint, Guarded

__all__ = ["Document", "SchemaView"]


class OwnEndpoints(EndpointEnumerator):
    """The endpoints of this app, at the paths where the project has put them."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        """Whether the view behind a path is one of ours."""
        return issubclass(getattr(callback, "cls", object), Endpoint) and super().should_include_endpoint(
            path, callback
        )


class Document(SchemaGenerator):
    """Writes the document. Its head is set here: drf-spectacular's custom settings would be the project's meanwhile."""

    endpoint_inspector_cls = OwnEndpoints

    def get_schema(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The document as plain data."""
        document: dict[str, Any] = super().get_schema(*args, **kwargs)  # type: ignore[no-untyped-call]
        document["info"] = {
            "title": "Purchase intent",
            "version": __version__,
            "description": "Where events are sent; how likely a visit is to end in a purchase, and why.",
        }
        return document


class SchemaView(Guarded, SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON by the Accept header."""

    generator_class = Document
    serve_public = True

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer with the document."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return response
