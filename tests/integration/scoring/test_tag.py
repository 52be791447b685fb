"""The template tag: what it shows, what it costs unused, and that it never fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.template import engines
from pytest_django import DjangoAssertNumQueries

from purchase_intent.models import ModelVersion, Session
from tests.integration.scoring.conftest import Act
from tests.integration.scoring.host import render
from tests.integration.tracking.words import Wordless

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


PAGE = (
    "{% intent as intent %}{{ intent.standing }} {{ intent.stage.label }} "
    "{% if intent.probability is not None %}number{% endif %} {% if 'top_5' in intent.bands %}top{% endif %}"
)


def test_a_template_shows_the_score(champion: ModelVersion, act: Act) -> None:
    assert act(lambda request: render(PAGE, request)).strip() == "scored browsing number"


def test_a_tag_that_is_not_used_asks_nothing(
    champion: ModelVersion, act: Act, asked: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def unused(request: HttpRequest) -> str:
        with django_assert_num_queries(0):
            return render("{% intent as intent %}plain", request)

    assert act(unused) == "plain"
    assert asked == []
    assert Session.objects.get().score is None


def test_reasons_are_worked_out_when_they_are_shown(champion: ModelVersion, act: Act, asked: list[int]) -> None:
    act(lambda request: render("{% intent as intent %}{{ intent.probability }}", request))
    assert asked == [0]
    text = (
        "{% intent reasons=2 as intent %}{{ intent.stage }}{% for why in intent.reasons %}|{{ why.text }}{% endfor %}"
    )
    shown = act(lambda request: render(text, request))
    assert asked == [0, 0, 2]
    assert shown.count("|") == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PAGE, id="read"),
        pytest.param("{% intent %}", id="printed"),
        pytest.param("{% intent reasons='many' as intent %}{{ intent.reasons|length }}", id="no number of reasons"),
        pytest.param("{% intent reasons=-1 as intent %}{{ intent.reasons|length }}", id="fewer than none"),
        pytest.param(
            "{% intent as intent %}{{ intent.nonsense }}{{ intent.moment }}{{ intent.model }}", id="unknown name"
        ),
    ],
)
def test_a_template_never_fails(text: str, act: Act) -> None:
    assert "object at" not in render(text, None)
    assert "object at" not in act(lambda request: render(text, request))


def test_a_condition_that_the_project_cannot_even_spell_is_kept_by_nobody(
    act: Act, caplog: pytest.LogCaptureFixture
) -> None:
    tags = "{% ifsegment mine %}in{% else %}out{% endifsegment %}{% ifintent mine %}in{% endifintent %}"
    page = engines["django"].from_string("{% load purchase_intent %}" + tags)
    assert act(lambda request: page.render({"mine": Wordless()}, request)) == "out"
    assert caplog.messages[0].startswith("A condition of a template was taken as it is written: LookupError")


def test_a_page_that_does_not_use_the_tag_imports_no_learner() -> None:
    program = """
import json, sys
import django
django.setup()
from django.template import engines
from django.test import RequestFactory
text = "{% load purchase_intent %}{% intent as intent %}plain"
assert engines["django"].from_string(text).render({}, RequestFactory().get("/")) == "plain"
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "demo_shop.settings"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "purchase_intent" in loaded
    assert loaded.isdisjoint({"catboost", "lightgbm", "xgboost", "sklearn", "pandas", "numba", "duckdb", "pyarrow"})
