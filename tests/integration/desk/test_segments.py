"""Segments at the desk: the list, a segment's page, the editor that needs no script, and who may do what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from purchase_intent.models import Segment, SegmentMembership, SegmentReport, SegmentVersion
from purchase_intent.segments import preview as previews
from purchase_intent.segments.filling import fill_segments
from tests.integration.desk.conftest import Clerk
from tests.integration.segments.street import CART, PURCHASE, VIEW, segment_of, shopper

pytestmark = pytest.mark.django_db

LIST = "/admin/purchase_intent/segment/"
CUSTOMERS = "/admin/purchase_intent/visitor/"


def words(client: Client, path: str) -> str:
    """A page as one line of text, without tags."""
    return plain(client.get(path))


def plain(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def sent(*conditions: tuple[str, str, str], act: str = "_save", **words_given: str) -> dict[str, str]:
    """What the editor's form sends."""
    data = {"match": "all", "c-TOTAL_FORMS": str(len(conditions)), "c-INITIAL_FORMS": "0", act: "1"}
    for place, row in enumerate(conditions):
        data |= {f"c-{place}-{name}": value for name, value in zip(("field", "operator", "value"), row, strict=True)}
    return data | words_given


NEW = {"title": "Gift hunters", "key": "gift-hunters", "about": "Looks at gifts.", "action": "Show wrapping."}


@pytest.fixture(autouse=True)
def none_built_in(db: None) -> None:
    Segment.objects.all().delete()


def street() -> None:
    now = timezone.now() - timedelta(hours=2)
    shopper("abandoner", (VIEW, CART), begin=now)
    shopper("buyer", (VIEW,), (VIEW, CART, PURCHASE), begin=now)
    shopper("newcomer", (VIEW,), begin=now)


def test_the_list_gives_each_segments_figures_in_as_many_queries_for_all(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    street()
    segment_of("fresh", ("visits", "=", 1))
    with django_assert_num_queries(5):  # the login (2), the count, the page, its reports
        assert "Fresh not measured" in words(desk, LIST)
    segment_of("all", ("visits", ">=", 1))
    fill_segments(timezone.now())
    with django_assert_num_queries(5):
        text = words(desk, LIST)
    assert "All 3 (100.0%) 25.0%" in text
    assert "Fresh 2 (66.7%) 0.0%" in text


def test_an_empty_list_says_why(desk: Client) -> None:
    assert "No segments yet, because none was made: run manage.py intent_segments --install" in words(desk, LIST)


def test_a_segments_page_tells_what_it_is_worth_and_how_it_came_to_be(desk: Client) -> None:
    street()
    segment = segment_of("returning", ("visits", ">=", 2), ("orders", ">=", 1))
    path = f"{LIST}{segment.pk}/change/"
    text = words(desk, path)
    assert "Not measured yet" in text
    assert "No figures yet, because it was not measured." in text
    fill_segments(timezone.now())
    text = words(desk, path)
    assert "1 shopper, 33.3% of all" in text
    assert "Measured just now on 3 shoppers of the last 90 days, bots and staff left out." in text
    assert "All of these hold: Visits so far, this one counted is at least 2 Orders so far is at least 1" in text
    assert "{% ifsegment &quot;returning&quot; %}" in text or '{% ifsegment "returning" %}' in text
    assert "Visits that bought, of 2 50.0%" in text
    assert "Visitor buyer just now - still a member" in text
    assert "Version 1 Visits so far, this one counted is at least 2 and Orders so far is at least 1" in text


def test_a_customers_page_and_list_know_the_segments(desk: Client) -> None:
    street()
    segment = segment_of("returning", ("visits", ">=", 2))
    fill_segments(timezone.now())
    member = SegmentMembership.objects.get()
    page = words(desk, f"{CUSTOMERS}{member.visitor_id}/change/")
    assert "Segments Returning entered just now" in page
    listed = desk.get(f"{CUSTOMERS}?segment=returning").content.decode()
    assert re.findall(r'field-who"><a [^>]*>Visitor ([^<]+)</a>', listed) == ["buyer"]
    other = shopper("other", (VIEW,))
    assert "In no segment, because none fits" in words(desk, f"{CUSTOMERS}{other.pk}/change/")
    desk.post(f"{LIST}{segment.pk}/switch/")
    gone = words(desk, f"{CUSTOMERS}{member.visitor_id}/change/")
    assert "Segments before Returning entered just now , left just now : the segment was switched off" in gone


def test_a_preview_says_the_size_and_saves_nothing(desk: Client) -> None:
    street()
    text = plain(desk.post(f"{LIST}add/", sent(("visits", "=", "1"), act="_preview")))
    assert "Preview: nothing is saved yet 2 of 3 shoppers of the last 90 days belong to it." in text
    assert "Among them: Visitor abandoner , Visitor newcomer ." in text
    assert Segment.objects.count() == 0


def test_a_preview_of_many_is_an_estimate(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    street()
    monkeypatch.setattr(previews, "MOST", 2)
    text = plain(desk.post(f"{LIST}add/", sent(("visits", ">=", "1"), act="_preview")))
    assert "2 of 2 shoppers drawn by chance belong to it: likely between 1 and 3 of all 3 of the last 90 days." in text
    assert "What those tried did in the last 90 days" in text


def test_a_preview_of_nobody(desk: Client) -> None:
    text = plain(desk.post(f"{LIST}add/", sent(("visits", ">=", "1"), act="_preview")))
    assert "Nobody to try it on yet, because no shopper was seen in the last 90 days." in text


def test_a_segment_is_made_and_its_members_are_told(desk: Client, django_capture_on_commit_callbacks: Any) -> None:
    street()
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(f"{LIST}add/", sent(("visits", "=", "1"), ("", ">=", ""), **NEW))
    segment = Segment.objects.get()
    text = words(desk, f"{LIST}{segment.pk}/change/")
    assert (segment.key, segment.title, segment.origin) == ("gift-hunters", "Gift hunters", "")
    assert "Gift hunters is made; its members are told now." in text
    assert "2 shoppers, 66.7% of all" in text
    version = SegmentVersion.objects.get()
    assert version.rule == {"match": "all", "conditions": [{"field": "visits", "operator": "=", "value": 1.0}]}
    assert version.who == "desk"
    assert "visits" in LogEntry.objects.get().change_message.lower()


def test_an_edit_is_a_version_and_other_words_are_none(desk: Client, django_capture_on_commit_callbacks: Any) -> None:
    street()
    segment = segment_of("fresh", ("visits", "=", 1))
    path = f"{LIST}{segment.pk}/edit/"
    assert 'value="1"' in desk.get(path).content.decode()
    given = {"title": "Fresh faces", "about": "", "action": "Greet them."}
    assert "Saved; the conditions are as before." in plain(
        desk.post(path, sent(("visits", "=", "1"), **given), follow=True)
    )
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(path, sent(("visits", ">=", "2"), **given))
    text = words(desk, f"{LIST}{segment.pk}/change/")
    assert "Saved as a new version; its members are told anew." in text
    assert "1 shopper, 33.3% of all" in text
    assert Segment.objects.get().title == "Fresh faces"
    assert [each.number for each in SegmentVersion.objects.all()] == [2, 1]
    assert SegmentReport.objects.get().version.number == 2
    assert 'value="1"' in desk.get(f"{path}?version=1").content.decode()


@pytest.mark.parametrize(
    ("conditions", "changed", "said"),
    [
        pytest.param((), {}, "A segment needs at least one condition: without one it is everybody.", id="empty"),
        pytest.param(
            (("shoe", "=", "1"),), {}, "There is no field “shoe”: choose one of the list.", id="unknown field"
        ),
        pytest.param((("visits", "=", "x"),), {}, "“x” is no number.", id="wrong type"),
        pytest.param((("visits", "in", "1"),), {}, "“in” does not fit visits: use one of", id="operator"),
        pytest.param((("", "=", "1"),), {}, "Choose a field.", id="a value alone"),
        pytest.param((("visits", "=", "1"),), {"key": "Gift Hunters"}, "Use small letters, digits", id="no key"),
        pytest.param((("visits", "=", "1"),), {"key": "taken"}, "Another segment has this key", id="key taken"),
        pytest.param((("visits", "=", "1"),), {"title": ""}, "This field is required.", id="no title"),
        pytest.param((("visits", "=", "1"),), {"match": "some"}, "Say whether all conditions have to hold", id="match"),
        pytest.param(
            (("visits", "=", "1"),), {"c-TOTAL_FORMS": "x"}, "ManagementForm data is missing", id="broken form"
        ),
    ],
)
def test_what_is_not_fit_is_refused_beside_its_field_and_nothing_is_written(
    conditions: tuple[tuple[str, str, str], ...], changed: dict[str, str], said: str, desk: Client
) -> None:
    segment_of("taken", ("visits", "=", 1))
    text = plain(desk.post(f"{LIST}add/", sent(*conditions, **NEW) | changed))
    assert said in text
    assert (Segment.objects.count(), SegmentVersion.objects.count(), LogEntry.objects.count()) == (1, 1, 0)


def test_of_two_who_edit_at_once_the_later_is_told_and_saves_on_purpose(desk: Client) -> None:
    segment = segment_of("gift-hunters", ("visits", ">=", 1))
    path = f"{LIST}{segment.pk}/edit/"

    def seen(response: Any) -> str:
        (found,) = re.findall(r'name="seen" value="([^"]*)"', response.content.decode())
        return str(found)

    first = seen(desk.get(path))
    desk.post(path, sent(("visits", ">=", "2"), **NEW, seen=first))
    assert seen(desk.post(path, sent(("visits", ">=", "3"), act="_preview", seen=first))) == first
    refused = desk.post(path, sent(("visits", ">=", "3"), **NEW | {"title": "Theirs"}, seen=first))
    assert "It was changed by desk meanwhile: nothing was saved; see how it stands now, then save again" in plain(
        refused
    )
    assert 'value="3"' in refused.content.decode()  # what was filled in stays
    segment.refresh_from_db()
    assert (segment.title, segment.versions.count()) == ("Gift hunters", 2)
    desk.post(path, sent(("visits", ">=", "3"), **NEW | {"title": "Theirs"}, seen=seen(refused)))
    segment.refresh_from_db()
    assert (segment.title, segment.versions.count()) == ("Theirs", 3)
    other = desk.post(path, sent(("visits", ">=", "3"), **NEW | {"title": "Mine"}, seen=seen(refused)))
    assert "It was changed by desk meanwhile" in plain(other)
    Segment.objects.filter(pk=segment.pk).update(about="Other words.")
    told = seen(other)
    assert "It was changed meanwhile" in plain(desk.post(path, sent(("visits", ">=", "3"), **NEW, seen=told)))


def test_more_rows_keep_what_was_filled_in(desk: Client) -> None:
    page = desk.post(f"{LIST}add/", sent(("visits", "=", "7"), act="_more", title="Half")).content.decode()
    assert page.count('<fieldset class="desk-condition">') == 5
    assert 'value="7"' in page
    assert 'value="Half"' in page
    assert "desk-error" not in page


def test_conditions_that_cannot_be_read_any_more_are_named(desk: Client) -> None:
    segment = segment_of("fresh", ("visits", "=", 1))
    SegmentVersion.objects.update(rule={"match": "all", "conditions": [{"field": "gone"}]})
    text = words(desk, f"{LIST}{segment.pk}/change/")
    assert "It is left out, because condition 1, field: there is no field “gone”: choose one of the list." in text
    assert desk.get(f"{LIST}{segment.pk}/edit/").status_code == 200


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        pytest.param(("view_segment",), (200, 200, 403, 403, 403), id="may look"),
        pytest.param(("view_segment", "change_segment"), (200, 200, 403, 200, 302), id="may edit"),
        pytest.param(("view_segment", "add_segment"), (200, 200, 200, 403, 403), id="may add"),
        pytest.param(("view_session",), (403, 403, 403, 403, 403), id="may see something else"),
    ],
)
def test_who_may_do_what(clerk: Clerk, permissions: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    segment = segment_of("fresh", ("visits", "=", 1))
    client = clerk(*permissions)
    own = f"{LIST}{segment.pk}/"
    answers = [client.get(path).status_code for path in (LIST, f"{own}change/", f"{LIST}add/", f"{own}edit/")]
    assert (*answers, client.post(f"{own}switch/").status_code) == statuses
    assert Segment.objects.get().is_active is (statuses[-1] != 302)


def test_the_switch_wants_a_post_and_a_segment_that_is_there(desk: Client) -> None:
    segment = segment_of("fresh", ("visits", "=", 1))
    assert desk.get(f"{LIST}{segment.pk}/switch/").status_code == 405
    assert desk.post(f"{LIST}{segment.pk + 1}/switch/").status_code == 404
    assert "Fresh is switched off." in plain(desk.post(f"{LIST}{segment.pk}/switch/", follow=True))
    assert "Fresh (off)" in words(desk, LIST)
    assert "Fresh is switched on." in plain(desk.post(f"{LIST}{segment.pk}/switch/", follow=True))
