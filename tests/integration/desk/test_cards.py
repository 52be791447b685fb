"""A model's card: on the desk, as a file and by the command, for both horizons, whole or with what is lacking."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from purchase_intent.insights.card import card_of
from purchase_intent.models import ModelVersion, OfferRule, Recalibration, WatchReport
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import BEGIN, version, watched

pytestmark = pytest.mark.django_db

LIST = "/admin/purchase_intent/modelversion/"


def part(auc: float = 0.8, *, buyers: float = 40, said: float = 0.05, ece: float = 0.004) -> dict[str, float]:
    rest = {"brier": 0.01, "best_f1": 0.3, "average_precision": 0.21, "base_rate": 0.04}
    return {"sessions": 1000, "buyers": buyers, "rows": 1000, "auc": auc, "said": said, "ece": ece, **rest}


def figures(**more: Any) -> dict[str, Any]:
    """What training stores, in small."""
    slices = {
        name: {"first": 1.77e12 + at, "last": 1.771e12 + at, "rows": 900, "sessions": 300, "buying_sessions": 30}
        for at, name in enumerate(("fit", "validation", "calibration"))
    }
    deciles = [
        {"said": 0.01 * place, "bought": 0.012 * place, "low": 0.008 * place, "high": 0.02 * place, "sessions": 90.0}
        for place in range(10)
    ]
    judged = {"rows": 900.0, "positives": 61.0, "auc": 0.731, "average_precision": 0.413, "base_rate": 0.068}
    return {
        "zone": "Europe/Berlin",
        "layout": "generic",
        "log": {"rows": 10_000, "sessions": 400, "visitors": 300, "orders": 31, "rejected": {"bad_time": 40}},
        "slices": slices,
        "rounds": {"catboost": 120, "lightgbm": 80},
        "weights": {"catboost": 0.6, "lightgbm": 0.4},
        "calibration": {"slope": 0.97, "intercept": 0.02},
        "thresholds": {"session": 0.2, "point": 0.3, "bands": {"top_5": 0.32}},
        "models": {
            "ensemble": {"session": judged | {"log_loss": 0.21}},
            "lightgbm": {"session": judged | {"log_loss": 0.2}},
        },
        "breakdown": {"parts": {"k=1": part(0.71), "first_basket": part(said=0.09, ece=0.05)}, "deciles": deciles},
        **more,
    }


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def words(client: Client, model: ModelVersion, tail: str = "card/") -> str:
    page = client.get(f"{LIST}{model.pk}/{tail}")
    assert page.status_code == 200
    return text(page.content.decode())


class Asked(HTMLParser):
    """What a file would load, and whether it runs anything."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for name, value in attrs if name in ("src", "href", "srcset")]
        if tag in ("script", "link", "img", "iframe"):
            self.found.append((tag, None))


def test_a_card_says_what_was_measured_and_what_not(desk: Client, champion: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=champion.pk).update(figures=figures(), verdict="Passed the checks.", sessions=400)
    said = words(desk, champion)
    assert "Serves. Purchases in this session." in said
    assert "AUC 0.731; average precision 0.413, where chance has 0.068." in said
    assert "after the 1st moment 1,000 40 0.710 0.210 0.040" in said
    assert "It tells buyers apart least after the 1st moment: AUC 0.710" in said
    assert "furthest off for “first in the basket”: 9.0% were said to buy and 4.0% did" in said
    assert "On that slice lightgbm alone had a lower log-loss per session: 0.20000 against 0.21000." in said
    assert "0.40% of the rows it was given were not fit to learn from, most of them by bad_time." in said
    assert "To set a person's price" in said.replace("&#x27;", "'")
    assert "members are fitted 2026" in said
    assert "What was said against what happened" in said
    assert "catboost 120" in said
    assert "weightiest of 94 features, by" in said
    assert "How its scores have come true is not known: no report of the watch is about it." in said


def test_what_came_of_it_since_is_on_the_card(desk: Client, champion: ModelVersion) -> None:
    watched(champion)
    Recalibration.objects.create(
        model=champion, intercept=0.5, fitted_from=BEGIN, fitted_until=BEGIN, sessions=1500, buyers=130
    )
    OfferRule.objects.create(by="profit", margin=20, cost=5, contact=0, odds_ratio=2, who="ada")
    said = words(desk, champion)
    assert "1,500 sessions with 130 buyers: AUC 0.731, and 0.91 buyers for each one promised." in said
    assert "its scores are corrected: 1.65 times the odds, from the outcomes of 1,500 sessions" in said
    assert "stored by ada, by expected profit" in said.replace("&#x27;", "'")


def test_a_report_without_enough_gives_its_reason(desk: Client) -> None:
    model = version()
    WatchReport.objects.create(
        day=date(2026, 3, 30), model=model, figures={"performance": {"live": {"reason": "Too few buyers yet: 3."}}}
    )
    assert "is not known as of 2026-03-30: Too few buyers yet: 3." in words(desk, model)


def test_a_week_is_told_in_its_own_words(desk: Client) -> None:
    parts = {"one_visit": part(), "has_ordered": part(buyers=4)}
    beside = {"churn": {"auc": 0.7}, "value": {"lacking": "needs 393 days of events, there are 61"}}
    stored = figures(breakdown={"parts": parts, "deciles": []}, customers=beside)
    model = version(horizon="week", figures=stored)
    said = words(desk, model)
    assert "Purchases in the next seven days." in said
    assert "how likely a visitor seen in the last 90 days is to order within the next seven days" in said
    assert "customers with one visit 1,000 40" in said
    assert "Too few buyers to say anything (20 are needed) for “customers who have ordered”." in said
    assert "value in 12 months needs 393 days of events, there are 61" in said
    assert "is not known: no report of the watch is about it." in said
    report = watched(model)
    report.horizon = "week"
    report.save()
    Recalibration.objects.create(
        model=model, intercept=0.5, fitted_from=BEGIN, fitted_until=BEGIN, sessions=1500, buyers=130
    )
    said = words(desk, model)
    assert "28 nights whose week was over by 2026-03-30, 1,500 customers with 130 buyers: AUC 0.731" in said
    assert "its scores are corrected: 1.65 times the odds, from the outcomes of 1,500 customers, 130 of which" in said


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({}, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({"breakdown": {"parts": 3, "deciles": [4]}, "slices": "x", "models": 7}, id="another shape"),
    ],
)
def test_a_card_of_little_says_what_is_lacking(desk: Client, stored: Any) -> None:
    model = version(figures=stored, forced=True)
    said = words(desk, model)
    assert "No figures, because none were stored with this version." in said
    assert "Not kept for this version: train again." in said
    assert "It was registered against the checks" in said
    assert "cannot be read from the storage" in said


def test_the_file_needs_nothing_beside_it(desk: Client, champion: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=champion.pk).update(figures=figures())
    page = desk.get(f"{LIST}{champion.pk}/card/file/")
    assert page["Content-Disposition"] == f'attachment; filename="model-{champion.pk}-session.html"'
    assert page["Content-Type"] == "text/html; charset=utf-8"
    whole = page.content.decode()
    asked = Asked()
    asked.feed(whole)
    assert asked.found == []
    assert "<svg" in whole
    assert "after the 1st moment" in text(whole)


def test_the_page_has_no_style_of_its_own(desk: Client, champion: ModelVersion) -> None:
    whole = desk.get(f"{LIST}{champion.pk}/card/").content.decode()
    assert "<style" not in whole
    assert 'style="' not in whole


def test_a_card_is_made_as_of_a_moment() -> None:
    model = version(trained_until=datetime.fromisoformat("2026-02-01T00:00:00+00:00"))
    card = card_of(model, now=model.trained_until + timedelta(days=9))
    (weak,) = (section for section in card.sections if section.key == "weak")
    assert weak.points == ("Its data end 9 days before this card was made.",)


def test_the_command_writes_the_file(champion: ModelVersion, tmp_path: Path) -> None:
    out = StringIO()
    target = tmp_path / "card.html"
    call_command("intent_card", "champion", "--out", str(target), stdout=out)
    assert f"Wrote the card of model {champion.pk} to {target}." in out.getvalue()
    assert f"<h1>Model {champion.pk}</h1>" in target.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["card.html"]


def test_the_command_names_the_file_itself_and_says_a_fault(
    tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model, said = version(horizon="week"), StringIO()
    call_command("intent_card", str(model.pk), stdout=StringIO(), stderr=said)
    assert (tmp_path / f"model-{model.pk}-week.html").exists()
    assert "cannot be read from the storage" in said.getvalue()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("99",), "There is no model 99", id="no such model"),
        pytest.param(("champion", "--horizon", "week"), "No champion serves the week horizon", id="no champion"),
        pytest.param(("{model}", "--out", "{folder}"), "is a folder; name a file in it", id="a folder"),
    ],
)
def test_the_command_refuses_in_one_line_and_writes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    names = {"model": version().pk, "folder": tmp_path}
    with pytest.raises(CommandError, match=told):
        call_command("intent_card", *(each.format(**names) for each in arguments))
    assert list(tmp_path.iterdir()) == []


def test_who_may_not_see_models_sees_no_card(clerk: Clerk) -> None:
    model = version(created_at=timezone.now())
    client = clerk("view_session")
    assert {client.get(f"{LIST}{model.pk}/{tail}").status_code for tail in ("card/", "card/file/")} == {403}


def test_an_unknown_model_has_no_card(desk: Client) -> None:
    assert desk.get(f"{LIST}99/card/").status_code == 404
