"""Model health in a real browser, at three widths: with much to show, with long names, and with nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from purchase_intent.models import Health, Recalibration, RunState, Status, TrainingRun, WatchReport, Why
from tests.e2e.conftest import LONG_NAME, WIDTHS, Visit
from tests.e2e.test_desk import LISTS, enter, look
from tests.integration.desk.things import version, watched

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]

PAGE = f"{LISTS}watchreport/"


def furnish() -> WatchReport:
    """A champion that was corrected, a report with long names, earlier ones, and training runs."""
    now = timezone.now()
    served = version(status=Status.CHAMPION, bundle="gone.zip")
    report = watched(served, name=LONG_NAME)
    for back in range(1, 9):
        WatchReport.objects.create(
            day=date(2026, 3, 30) - timedelta(days=back), health=Health.WELL, quality=100, said=["Scores hold."]
        )
    Recalibration.objects.create(
        model=served,
        intercept=0.5,
        fitted_from=now - timedelta(days=28),
        fitted_until=now,
        sessions=1500,
        buyers=130,
        figures={"log_loss_before": 0.31, "log_loss_shift": 0.29},
    )
    for state in (RunState.REGISTERED, RunState.REFUSED, RunState.LOST):
        run = TrainingRun.objects.create(why=Why.DRIFT if state == RunState.LOST else Why.SCHEDULE, reason=LONG_NAME)
        run.begin(now - timedelta(minutes=4))
        run.end(state, "too few buyers: 7 of 30. " * 4, now=now, version=served if state == "registered" else None)
    return report


@pytest.mark.parametrize("width", WIDTHS)
def test_model_health_with_much_to_show(visit: Visits, width: int) -> None:
    seen = visit(width)
    report = furnish()
    enter(seen)
    seen.go(f"{LISTS}modelversion/")
    seen.page.get_by_role("link", name="How the champion fares").click()
    expect(seen.page.get_by_text("Needs action", exact=True).first).to_be_visible()
    expect(seen.page.get_by_role("img", name="What was said against what happened")).to_be_visible()
    look(seen, "health")
    for title in ("The same as a table", "Day by day", "The other"):
        seen.page.get_by_text(title).first.click()
    look(seen, "health-open")
    seen.go(f"{PAGE}{report.pk}/change/")
    look(seen, "health-report")


@pytest.mark.parametrize("width", WIDTHS)
def test_model_health_with_nothing(visit: Visits, width: int) -> None:
    seen = visit(width)
    enter(seen)
    seen.go(PAGE)
    expect(seen.page.locator(".desk-nothing").last).to_contain_text("yet, because")
    look(seen, "health-empty")


def test_a_correction_is_undone_by_hand(visit: Visits) -> None:
    seen = visit(768)
    furnish()
    enter(seen)
    seen.go(PAGE)
    seen.page.get_by_role("button", name="Undo the correction").click()
    expect(seen.page.get_by_text("is undone")).to_be_visible()
    assert not Recalibration.objects.in_force().exists()
