"""How the OpenAPI document describes what staff decide over the API: one shape for each operation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from purchase_intent.api.examples import REFUSED, conflict, forbidden

__all__ = ["described", "only_staff", "refused"]


def described(
    name: str, shape: Any, value: Any, answers: Any, *, tag: str = "experiments", status: int = 200, **more: Any
) -> dict[str, Any]:
    """An operation with its answer, by example `value` of `shape`, and the `answers` to what is not fit.

    `example` in `more` is what is sent.
    """
    sent = more.pop("example", None)
    found = [OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])]
    return {
        "operation_id": name,
        "tags": [tag],
        "responses": {status: shape, **answers},
        "examples": [
            *(found if value is not None else []),
            *([OpenApiExample("sent", value=sent, request_only=True)] if sent is not None else []),
        ],
        **more,
    }


def only_staff(*permissions: str) -> dict[Any, Any]:
    """The answers to who may not ask, of an endpoint that one of these permissions opens."""
    named = " or ".join(f"purchase_intent.{each}" for each in permissions)
    return {
        **REFUSED,
        **forbidden(f"Only staff with the permission {named} may ask: let an administrator grant it."),
    }


def refused(text: str) -> dict[Any, Any]:
    """The answer where what is asked for does not go with what is there."""
    return conflict("experiment_refused", text)
