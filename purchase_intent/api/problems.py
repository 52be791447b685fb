"""Errors as problem details (RFC 9457): one shape for all of them, with a code and a remedy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.translation import gettext as _
from rest_framework import exceptions, views
from rest_framework.response import Response

from purchase_intent.exceptions import IntentError

__all__ = ["CONTENT_TYPE", "AtTheEdge", "Unavailable", "problem_details"]

CONTENT_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


class Unavailable(exceptions.APIException):
    """The app cannot answer now, through no fault of the request."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"


class AtTheEdge:
    """Answer with 503 what the shop's own code raises; `fail` is told, to have it logged.

    Not by a generator, as contexts are mostly written: a live decision enters it twice.
    """

    __slots__ = ("_fail",)

    def __init__(self, fail: Callable[[Exception], object]) -> None:
        self._fail = fail

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, _ANSWERED):
            return
        if isinstance(error, InterfaceError):
            raise OperationalError(str(error)) from error  # of a connection that has ended: the database is gone
        self._fail(error)
        raise Unavailable(_("The shop's adapter failed: the server's log says how."), code="adapter_failed") from error


_ANSWERED: Final = (IntentError, DatabaseError, exceptions.APIException)
"""Faults that have an answer of their own."""


def problem_details(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error with its problem details; None, as REST framework has it, for a fault of our own."""
    known = _known(error)
    response = views.exception_handler(known, dict(context))
    if response is None or not isinstance(known, exceptions.APIException):
        return response
    status = HTTPStatus(response.status_code)
    fields = list(_fields(_told(known)))
    detail = " ".join(f"{name}: {text}" if name else text for name, text in fields)
    data: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": _code(known),
    }
    if isinstance(_told(known), dict):
        data["errors"] = [{"field": name, "detail": text} for name, text in fields]
    response.data = data
    response.content_type = CONTENT_TYPE
    return response


def _known(error: Exception) -> Exception:
    """Turn the app's own errors, and a database gone, into 503."""
    if isinstance(error, IntentError):
        logger.error("The API cannot answer: %s", error.message)
        return Unavailable(error.message, code=error.code)
    if isinstance(error, DatabaseError | InterfaceError):
        logger.error("The API cannot answer: the database does not", exc_info=error)
        remedy = _("The database does not answer. Try again in a minute; the server's log says more.")
        return Unavailable(remedy, code="database_unavailable")
    return error


def _told(error: exceptions.APIException) -> Any:
    """What is wrong, by field where the request is at fault; a class of the project's own may tell more than a text."""
    told: Any = error.detail
    if isinstance(told, dict) and "detail" in told and not isinstance(error, exceptions.ValidationError):
        return told["detail"]
    return told


def _code(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.ValidationError):
        return "invalid"
    codes = error.get_codes()
    return codes if isinstance(codes, str) else str(error.default_code)


def _fields(detail: Any, name: str = "") -> Iterable[tuple[str, str]]:
    """Each message with the field it is about, "" for none."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _fields(value, str(key))
    elif isinstance(detail, list):
        for value in detail:
            yield from _fields(value, name)
    else:
        yield name, str(detail)
