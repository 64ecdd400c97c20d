"""What becomes of a station to which something has happened, and that everybody is told why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.appliance.world import HERE, world

pytestmark = [pytest.mark.broker, pytest.mark.slow]
SERVICES = ("serve", "line", "sync")
YEAR = 365.25


@pytest.mark.parametrize("off", [10 * YEAR, -YEAR], ids=["ten years ahead", "a year behind"])
def test_a_wrong_clock_takes_nothing_new_until_it_is_right(tmp_path: Path, off: float) -> None:
    with world(tmp_path) as plant:
        plant.begin(*SERVICES)
        plant.runs("1.2.3")
        plant.station_days(off, synced=False)
        plant.push("1.3.0")
        plant.refuses("wrong_clock")
        text = plant.told("wrong_clock")
        assert f"{HERE}: wrong_clock: " in text
        assert "timedatectl" in text
        assert "wrong_clock" in plant.command("status", well=(4,))
        assert (plant.running, plant.models["candidate"]) == ("1.2.3", None)
        plant.station_days(0.0, synced=True)
        plant.runs("1.3.0")
        plant.told("active")
        assert plant.refusal is None
