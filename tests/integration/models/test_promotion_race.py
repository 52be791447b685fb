"""Two processes promote at once: one champion stands, nobody gets an error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from purchase_intent.models import Horizon, ModelVersion, Status
from tests.integration.models.conftest import Register

RIVALS = 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reigning", [True, False], ids=["a champion reigns", "the throne is empty"])
def test_rival_promotions_leave_one_champion(register: Register, reigning: bool) -> None:
    if reigning:
        register(status=Status.CHAMPION)
    rivals = [register() for _ in range(RIVALS)]
    bystander = register(status=Status.CHAMPION, horizon=Horizon.WEEK)
    start = Barrier(RIVALS)

    def promote(version: ModelVersion) -> None:
        try:
            start.wait(timeout=300)
            version.promote()
        finally:
            connection.close()

    with ThreadPoolExecutor(RIVALS) as pool:
        list(pool.map(promote, rivals))

    champion = ModelVersion.objects.champion("session")
    assert champion in rivals
    standing = ModelVersion.objects.of("session").exclude(pk=champion.pk).values_list("status", flat=True)
    assert set(standing) == {"archived"}
    assert ModelVersion.objects.champion("week") == bystander
