"""What schemathesis makes of the OpenAPI document: requests fit and unfit, with and without leave; no answer is 5xx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from purchase_intent.models import Scope
from tests.integration.scoring.recorded import BOUGHT, recorded
from tests.integration.tracking.sending import key_of

EXAMPLES = {"nobody": 1, "a server": 3}
"""Of each operation, fit and unfit, by each sender; no more, so that it takes seconds in all."""
STAFF = re.compile(r"/(experiments|experiment-proposal|exclusion-groups|holdouts|holdout-preview|segment-preview)/")
"""What staff alone may ask: neither sender gets further than the door, whatever it sends."""
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance)


@pytest.fixture
def open_database(db: None) -> Iterator[None]:
    """Keep the test's connection open over requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("open_database")
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_with_a_fault_of_ours(mode: GenerationMode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR")
    visit = recorded(*BOUGHT[:4])
    there = {"number": visit.visitor_id, "key": visit.key} if mode is GenerationMode.POSITIVE else None
    key = key_of(*Scope)
    senders = {"nobody": {"Sec-Fetch-Site": "same-origin"}, "a server": key}
    schema = schemathesis.openapi.from_wsgi("/intent/v1/schema/", get_wsgi_application(), headers=key)
    answered: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an invalid one raises, as it should
        for sender, headers in senders.items():
            examples = 1 if STAFF.search(operation.path) else EXAMPLES[sender]
            statuses = asked(operation, mode, there, examples, headers)
            answered.setdefault(operation.label, set()).update(statuses)
    refused = {401} if mode is GenerationMode.POSITIVE else {400, 401}
    assert answered["POST /intent/v1/predict/"] >= refused
    assert 200 in answered["GET /intent/v1/visitors/"]
    assert len(answered) >= 14


def asked(operation: Any, mode: GenerationMode, there: Any, examples: int, headers: dict[str, str]) -> set[int]:
    """Ask an operation what schemathesis makes up, and have it judge the answers; their statuses."""
    statuses = set()

    def sent(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
        statuses.add(int(response.status_code))

    known = {name: value for name, value in (there or {}).items() if f"{{{name}}}" in operation.path}
    cases = operation.as_strategy(generation_mode=mode, path_parameters=known or None)
    quiet = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    quiet(given(cases)(sent))()  # type: ignore[no-untyped-call]
    return statuses
