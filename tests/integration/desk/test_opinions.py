"""Two explanations of one score side by side, and what stands in the way of them."""

from __future__ import annotations

import re
import sys

import pytest
from django.test import Client

from purchase_intent.events import EventName
from purchase_intent.models import ModelVersion, Session
from purchase_intent.scoring.opinion import opinions
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import visitor, walk

LIST = "/admin/purchase_intent/session/"


def words(client: Client, session: Session) -> str:
    answer = client.get(f"{LIST}{session.pk}/opinions/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_both_explain_the_champions_score_in_words(desk: Client, champion: ModelVersion) -> None:
    session = walk(visitor())
    found = opinions(session, at=session.last_at, most=6)
    said = words(desk, session)
    assert found.shap
    assert found.lime
    for reason in (*found.shap, *found.lime):
        assert reason.text in said
    assert f"R² {found.fit:.2f}" in said
    assert ("Both name the same strongest cause" in said) == found.agree
    assert f"By model {champion.pk}." in said


def test_where_a_visitor_stands_at_the_checkout_both_say_so(champion: ModelVersion) -> None:
    """The one state of a shop in which one cause outweighs all others."""
    session = walk(visitor(), names=(*(EventName.VIEW,) * 2, EventName.CART, EventName.VIEW_CART, EventName.CHECKOUT))
    found = opinions(session, at=session.last_at, most=6)
    for reasons in (found.shap, found.lime):
        strong = {feature for reason in reasons[:3] if reason.effect > 0 for feature in reason.features}
        assert strong & {"stage", "checkout_step", "carts", "cart_units", "cart_value"}


def test_it_is_the_same_each_time_it_is_asked(champion: ModelVersion) -> None:
    session = walk(visitor())
    first, again = (opinions(session, at=session.last_at, most=6) for _ in range(2))
    assert first == again


def test_the_sessions_page_leads_there_and_it_leads_back(desk: Client, champion: ModelVersion) -> None:
    session = walk(visitor())
    assert f'href="{LIST}{session.pk}/opinions/"' in desk.get(f"{LIST}{session.pk}/change/").content.decode()
    assert f'href="{LIST}{session.pk}/change/"' in desk.get(f"{LIST}{session.pk}/opinions/").content.decode()


def test_without_a_model_it_says_what_to_do(desk: Client) -> None:
    assert "No trained model serves: rules give their own reasons. Train one with intent_train." in words(
        desk, walk(visitor())
    )


def test_after_a_purchase_there_is_nothing_to_explain(desk: Client, champion: ModelVersion) -> None:
    assert "Has bought: there is no score to explain any more." in words(
        desk, walk(visitor(), names=(EventName.CART, EventName.PURCHASE))
    )


def test_without_lime_the_install_line_is_shown(
    desk: Client, champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lime.lime_tabular", None)
    assert "lime is not installed: pip install" in words(desk, walk(visitor()))


def test_who_may_not_see_sessions_may_not_see_this(clerk: Clerk, champion: ModelVersion) -> None:
    assert clerk("view_modelversion").get(f"{LIST}{walk(visitor()).pk}/opinions/").status_code == 403


def test_a_session_that_is_not_there_is_not_found(desk: Client) -> None:
    assert desk.get(f"{LIST}99/opinions/").status_code == 404
