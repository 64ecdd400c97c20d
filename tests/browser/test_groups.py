"""Many parts of one cause: one banner, and one decision for several of them; never accept."""

import pytest

from tests.simulators.patience import until

ENOUGH = 6


@pytest.fixture(scope="module")
def plant(blurred_plant):
    return blurred_plant


def opened(tablet, plant):
    until(lambda: len(plant.line()) > ENOUGH, plant.moment)
    one = tablet("otto")
    one.ready()
    one.wait_text("banner-group", r"\d+ × blurred since \d\d:\d\d: clean the lens")
    one.test("group-open").first.tap()
    one.test("group").wait_for(state="visible")
    return one


def choose(one, *numbers):
    """Tap these tiles of the grid; the inspections that they show."""
    tiles, chosen = one.test("group-part"), []
    for number in numbers:
        address = tiles.nth(number).locator("img").get_attribute("src")
        chosen.append(address.split("/")[4])
        tiles.nth(number).tap()
    return chosen


def test_several_are_rejected_together_and_none_accepted(tablet, plant):
    one = opened(tablet, plant)
    sheet = one.test("group")
    assert sheet.get_by_role("button", name="Accept").count() == 0
    chosen = choose(one, 1, 2, 3)
    one.test("group-reject").tap()
    until(lambda: all(plant.fate(part) for part in chosen), plant.moment)
    assert {plant.fate(part)["disposition"] for part in chosen} == {"reject"}
    said = [verdict for verdict in plant.queue() if verdict["inspection"] in chosen]
    assert {verdict["basis"] for verdict in said} == {"part"}
    assert len(said) == len(chosen)


def test_several_are_held_together(tablet, plant):
    one = opened(tablet, plant)
    before = len(plant.queue())
    parts = choose(one, 0, 2)
    one.test("group-hold").tap()
    until(lambda: all(plant.fate(part) for part in parts), plant.moment)
    assert {plant.fate(part)["disposition"] for part in parts} == {"hold"}
    assert {plant.fate(part)["by"] for part in parts} == {"person"}
    assert {said["hold"] for said in plant.queue()[before:]} == {True}


def test_a_doubtful_picture_says_look_at_the_part_itself(tablet, plant):
    one = tablet("ida")
    shown = one.ready()
    assert "Look at the part itself" in one.test("part-itself").inner_text()
    one.test("reject").tap()
    one.next_part(shown)
    (said,) = [verdict for verdict in plant.queue() if verdict["inspection"] == shown]
    assert said["basis"] == "part"
