"""The body of a batch: read whatever its type is called, since a beacon can name none, and no more than is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request, is_form_media_type

from purchase_intent.models import ApiKey
from purchase_intent.tracking.intake.batch import BROWSER, SERVER, Limits

__all__ = ["AnyBody", "AnyType", "TooLarge", "limits_of", "read_body"]


class TooLarge(APIException):
    """The body is larger than one batch may be."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = _("The body is too large.")

    def __init__(self, most: int) -> None:
        super().__init__(_("A batch has at most %(most)d bytes: send it in parts.") % {"most": most})


class AnyBody(BaseParser):
    """The bytes as they came."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002 - the framework's
        """At most as many bytes as the sender may send; TooLarge for more, with no more than that read."""
        request = parser_context["request"]
        return read_body(stream, request.META, parser_context["view"].largest or limits_of(request).size)


class AnyType(DefaultContentNegotiation):
    """One parser for every type, a nameless one too; for a form's none, which is how other sites would post."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The first, which takes anything."""
        return None if is_form_media_type(request.content_type) else parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        """The only one there is, whatever is accepted: a sender that cannot read it has sent all the same."""
        return renderers[0], renderers[0].media_type


def read_body(stream: Any, told: Mapping[str, Any], most: int) -> bytes:
    """At most so many bytes of a body; TooLarge where there are more, or its headers `told` of more."""
    length = told.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise TooLarge(most)
    body: bytes = stream.read(most + 1)
    if len(body) > most:
        raise TooLarge(most)
    return body


def limits_of(request: Request) -> Limits:
    """How much this sender may send at once."""
    return SERVER if isinstance(request.auth, ApiKey) else BROWSER
