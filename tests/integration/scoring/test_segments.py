"""Live membership on a page: what tags and shortcuts say, what they cost, and that they never fail."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from purchase_intent import shortcuts
from purchase_intent.models import Segment, Session, Visitor
from purchase_intent.segments import active
from purchase_intent.segments.editing import save_rule, switch
from purchase_intent.shortcuts import in_segment, score, segments
from tests.integration.scoring.conftest import Act
from tests.integration.scoring.host import Host, render
from tests.integration.segments.street import CART, MONDAY, VIEW, Make, rule_of, segment_of, shopper

pytestmark = pytest.mark.django_db

BOTH = "{% ifsegment 'fresh' %}new{% else %}known{% endifsegment %}"


@pytest.fixture
def make(db: None) -> Make:
    """Take the built-in segments away, and return a function that makes one."""
    Segment.objects.all().delete()
    return segment_of


def test_a_page_knows_its_visitor_from_the_first_view_on(make: Make, act: Act) -> None:
    make("fresh", ("visits", "=", 1))
    make("two-pages", ("events", ">=", 2))
    text = (
        BOTH + "{% intent as intent %}|{{ intent.segment.fresh }}|{{ intent.segment.two_pages }}|{{ intent.segment }}"
    )
    assert act(lambda request: render(text, request)) == "new|True|False|fresh"
    assert act(lambda request: render(text, request)) == "new|True|True|fresh, two-pages"


def test_what_is_told_on_the_way_counts(make: Make, act: Act) -> None:
    make("carting", ("carts", ">=", 1))

    def shop(request: HttpRequest) -> str:
        before = segments(request)
        shortcuts.track(request, "cart", product="kettle", price=3, quantity=1)
        return f"{before} {segments(request)} {in_segment(request, 'carting')}"

    assert act(shop) == "() ('carting',) True"


def test_an_edit_is_seen_without_a_restart(make: Make, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(active, "clock", lambda: now[0])
    segment = make("fresh", ("visits", "=", 1))
    assert act(lambda request: render(BOTH, request)) == "new"
    with CaptureQueriesContext(connection) as asked_for:
        assert act(lambda request: in_segment(request, "fresh")) == "True"
    assert not [each for each in asked_for if "purchase_intent_segment" in each["sql"]]
    save_rule(segment, rule_of(("visits", ">", 1)), who="ada", now=MONDAY)
    assert act(lambda request: render(BOTH, request)) == "new"  # another process sees it within five seconds
    now[0] += active.LOOK_EVERY
    assert act(lambda request: render(BOTH, request)) == "known"
    switch(segment, on=False, now=MONDAY)
    active.look_again()
    assert act(segments) == "()"


def test_a_score_is_worked_out_only_where_a_segment_needs_it(make: Make, act: Act, asked: list[int]) -> None:
    make("fresh", ("visits", "=", 1))
    make("hot", ("score", ">=", 0.99))
    act(lambda request: in_segment(request, "fresh"))
    assert asked == []
    act(lambda request: (in_segment(request, "hot"), in_segment(request, "hot"), score(request)))
    assert asked == [0]


def test_nightly_scores_are_read_where_a_segment_is_about_them(make: Make, act: Act) -> None:
    make("leaving", ("churn", ">=", "50%"))
    assert act(lambda request: in_segment(request, "leaving")) == "False"
    Visitor.objects.update(churn=0.8)
    assert act(lambda request: in_segment(request, "leaving")) == "True"


def test_a_stored_session_is_judged_as_of_its_end(make: Make) -> None:
    make("carting", ("cart_units", ">=", 1))
    make("hot", ("score", ">", 0))
    make("waiting", ("duration", ">=", "20 minutes"))
    shopper("one", (VIEW, CART))
    session = Session.objects.get()
    assert segments(session) == ("carting", "hot", "waiting")
    assert segments(session, as_of=session.last_at) == ("carting", "hot")
    Session.objects.update(state=b"")
    assert segments(Session.objects.get()) == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("{% ifsegment fresh %}a{% else %}b{% endifsegment %}", "a", id="a bare word"),
        pytest.param("{% ifsegment first-visit %}a{% else %}b{% endifsegment %}", "a", id="a bare word with a hyphen"),
        pytest.param("{% ifsegment 'nix' 'fresh' %}a{% endifsegment %}", "a", id="one of two"),
        pytest.param("{% ifsegment 'nix' %}a{% endifsegment %}", "", id="unknown, no else"),
        pytest.param("{% ifsegment %}a{% else %}b{% endifsegment %}", "b", id="no key"),
        pytest.param("{% ifsegment ''|nix:2 %}a{% else %}b{% endifsegment %}", "b", id="no such filter"),
        pytest.param("{% with k='fresh' %}{% ifsegment k %}a{% endifsegment %}{% endwith %}", "a", id="a variable"),
        pytest.param(
            "{% ifsegment 'fresh' %}{% ifsegment 'x' %}a{% else %}b{% endifsegment %}{% endifsegment %}",
            "b",
            id="nested",
        ),
        pytest.param("{% ifintent '>= 0' %}a{% else %}b{% endifintent %}", "a", id="any score"),
        pytest.param("{% ifintent '>= 0.8' %}a{% else %}b{% endifintent %}", "b", id="a high score"),
        pytest.param("{% ifintent '<80%' %}a{% endifintent %}", "a", id="per cent"),
        pytest.param("{% ifintent '>= 0' '< 1%' %}a{% else %}b{% endifintent %}", "b", id="between"),
        pytest.param("{% ifintent 'top_1' %}a{% else %}b{% endifintent %}", "b", id="a band"),
        pytest.param("{% ifintent 'high' %}a{% else %}b{% endifintent %}", "b", id="no limit"),
        pytest.param("{% ifintent %}a{% else %}b{% endifintent %}", "b", id="nothing asked"),
        pytest.param(
            "{% intent as intent %}{% for key in intent.segment %}{{ key }} {% endfor %}",
            "first-visit fresh ",
            id="a loop",
        ),
        pytest.param("{% intent as intent %}{% if 'fresh' in intent.segment %}a{% endif %}", "a", id="in"),
        pytest.param(
            "{% intent as intent %}{% if intent.segment.nix %}a{% else %}b{% endif %}", "b", id="unknown attribute"
        ),
    ],
)
def test_whatever_stands_in_a_template_is_shown(text: str, shown: str, make: Make, act: Act) -> None:
    make("fresh", ("visits", "=", 1))
    make("first-visit", ("visits", "<=", 1))
    assert act(lambda request: render(text, request)) == shown
    render(text, None)


def test_nobody_is_in_a_segment_without_consent_or_after_a_fault(
    make: Make, act: Act, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make("fresh", ("visits", "=", 1))

    def fail(*args: Any) -> bool:
        raise ValueError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(shortcuts, "is_in", fail)
        assert act(lambda request: render(BOTH, request)) == "known"
    assert [record.getMessage() for record in caplog.records] == [
        "No segment was given: ValueError: mend what the traceback ends with."
    ]
    monkeypatch.setattr(Host, "agreed", False)
    assert act(lambda request: render(BOTH, request)) == "known"


def test_an_unknown_key_is_logged_once(make: Make, act: Act, caplog: pytest.LogCaptureFixture) -> None:
    make("fresh", ("visits", "=", 1))
    for _ in range(2):
        assert act(lambda request: in_segment(request, "fersh")) == "False"
    assert [record.getMessage() for record in caplog.records] == [
        "No active segment has the key 'fersh': nobody is in it. See the list of segments."
    ]


def test_a_page_that_asked_is_kept_by_no_cache(make: Make, act: Act) -> None:
    make("fresh", ("visits", "=", 1))
    seen: list[HttpRequest] = []

    def shown(request: HttpRequest) -> str:
        seen.append(request)
        return str(in_segment(request, "fresh"))

    act(shown)
    assert seen[0]._cache_update_cache is False  # type: ignore[attr-defined]
