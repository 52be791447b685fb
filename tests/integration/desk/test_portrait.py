"""What a model goes by, at the desk: lanes, one feature by its values, and why there may be none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from purchase_intent.admin.models.portrait import LANES, portrait, scatter
from purchase_intent.features.schema import FEATURES
from purchase_intent.learning.explained import Explained
from purchase_intent.models import ModelVersion
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import version
from tests.trained import Trained, damage

LIST = "/admin/purchase_intent/modelversion/"
NAMES = tuple(feature.name for feature in FEATURES)


@pytest.fixture
def explained(trained: Trained) -> Explained:
    assert trained.ensemble.explained is not None
    return trained.ensemble.explained


def page(client: Client, key: int, query: str = "") -> str:
    answer = client.get(f"{LIST}{key}/reasons/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_names_what_weighs_most_and_draws_every_case(
    desk: Client, champion: ModelVersion, explained: Explained
) -> None:
    first, second = explained.importance(NAMES)[:2]
    html = page(desk, champion.pk)
    said = words(html)
    meaning = {feature.name: feature.meaning.partition(":")[0] for feature in FEATURES}
    assert f"{meaning[first.name]}; then {meaning[second.name][0].lower()}{meaning[second.name][1:]}, and" in said
    assert f"one of {len(explained)} moments of the latest slice" in said
    assert html.count('class="desk-lane"') == LANES + 1
    assert html.count('r="3"') == np.isfinite(explained.values[:, NAMES.index(first.name)]).sum()
    assert "style=" not in html.split('id="content-main"')[1]
    for feature in FEATURES:
        assert f'<th scope="row">{feature.name}</th>' in html


def test_another_feature_is_chosen_by_its_name(desk: Client, champion: ModelVersion) -> None:
    html = page(desk, champion.pk, "?feature=hour")
    assert '<h2 id="desk-one">Hour of the day in the shop&#x27;s time zone</h2>' in html
    assert "most frequent first" not in html
    assert "most frequent first" in page(desk, champion.pk, "?feature=device")


@pytest.mark.parametrize("wanted", ["no_such", "", "%00", "<script>"])
def test_an_unknown_feature_gives_the_weightiest(
    desk: Client, champion: ModelVersion, explained: Explained, wanted: str
) -> None:
    first = explained.importance(NAMES)[0].name
    assert f"Effect of {first} by its value" in page(desk, champion.pk, f"?feature={wanted}")


def test_the_models_page_leads_there(desk: Client, champion: ModelVersion) -> None:
    assert f'href="{LIST}{champion.pk}/reasons/"' in desk.get(f"{LIST}{champion.pk}/change/").content.decode()


def test_a_damaged_bundle_is_named(desk: Client, champion: ModelVersion) -> None:
    damage(champion)
    assert "No picture, because The bundle of model" in words(page(desk, champion.pk))


def test_a_model_stored_without_cases_says_so(desk: Client, bundle_folder: Path) -> None:
    assert "stored without cases that explain it: train again" in words(
        page(desk, version(bundle="", status="refused").pk)
    )


def test_who_may_see_models_may_see_this(clerk: Clerk, champion: ModelVersion) -> None:
    reader = clerk("view_modelversion")
    assert reader.get(f"{LIST}{champion.pk}/reasons/").status_code == 200
    assert reader.get(f"{LIST}{champion.pk + 1}/reasons/").status_code == 404


def test_who_may_not_see_models_may_not_see_this(clerk: Clerk, champion: ModelVersion) -> None:
    assert clerk("view_session").get(f"{LIST}{champion.pk}/reasons/").status_code == 403


def test_lanes_hold_every_case_within_their_bounds(explained: Explained) -> None:
    found = portrait(explained)
    assert [lane.feature.name for lane in found.lanes] == [each.name for each in explained.importance(NAMES)[:LANES]]
    for lane in found.lanes:
        assert all(0 <= dot.x <= 480 and 0 < dot.y < 40 for dot in lane.dots)
        assert len({(dot.x, dot.y) for dot in lane.dots}) == len(lane.dots)
    assert [tick.label for tick in found.ticks if tick.at == 240] == ["0"]


@pytest.mark.parametrize("name", NAMES)
def test_any_feature_can_be_drawn(explained: Explained, name: str) -> None:
    found = scatter(explained, name)
    assert len(found.dots) + found.unknown == len(explained)
    assert sum(count for _, count, _ in found.table) <= len(explained)
    assert all(found.left <= dot.x <= found.right and found.top <= dot.y <= found.bottom for dot in found.dots)
