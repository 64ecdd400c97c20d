"""A part that falls due while somebody looks at it."""

import pytest

from tests.simulators.patience import until


@pytest.fixture(scope="module")
def plant(make_plant):
    slow = {"source": "synthetic", "width": 320, "height": 240, "parts_per_second": 0.5}
    return make_plant("run", "web", camera=slow, escalation={"deadline_s": 4, "fallback": "hold"})


def test_who_looks_too_long_is_told_what_happened_and_goes_on_with_the_next(tablet, plant):
    one = tablet("otto")
    shown = one.ready()
    assert one.test("left").is_visible()
    said = one.wait_text("message", r"held at \d\d:\d\d:\d\d")
    assert "Too late" in said
    until(lambda: plant.fate(shown), plant.moment)
    assert plant.fate(shown)["by"] == "fallback"
    assert plant.fate(shown)["disposition"] == "hold"
    second = one.next_part(shown)
    one.test("reject").tap()
    until(lambda: plant.fate(second), plant.moment)
    assert [verdict["inspection"] for verdict in plant.queue()] == [second]
    assert plant.fate(second)["disposition"] == "reject"
