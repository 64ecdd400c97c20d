"""An answer is taken back while the line has not acted; afterwards it is a correction."""

import pytest

from tests.simulators.patience import until


@pytest.fixture(scope="module")
def plant(usual_plant):
    return usual_plant


def test_an_answer_that_is_taken_back_in_time_decides_nothing(tablet, plant):
    one = tablet("otto")
    shown = one.ready()
    number = one.test("part-number").inner_text()
    one.test("reject").tap()
    one.test("undo").tap()
    one.wait_text("message", f"{number}.*Taken back")
    assert one.ready() == shown
    (undone,) = [one for one in plant.queue("correction/1") if one["inspection"] == shown]
    (verdict,) = [one for one in plant.queue() if one["inspection"] == shown]
    assert undone["undo"] is True
    assert undone["verdict"] == verdict["id"]
    assert plant.fate(shown) is None
    one.test("accept").tap()
    until(lambda: plant.fate(shown), plant.moment)
    assert plant.fate(shown)["disposition"] == "accept"
    assert plant.fate(shown)["verdict"] == plant.queue()[-1]["id"]


def test_an_undo_that_comes_after_the_line_is_a_correction_and_says_so(tablet, plant):
    one = tablet("ida")
    shown = one.ready()
    before = len(plant.queue("correction/1"))
    held = one.hold("**/undo")
    one.test("reject").tap()
    with one.page.expect_request("**/undo"):
        one.test("undo").tap()
    until(lambda: plant.fate(shown), plant.moment)  # on its way it is overtaken by the line
    held[0].continue_()
    said = one.wait_text("message", "Too late")
    assert "rejected at" in said
    assert "correction of the label" in said
    assert plant.fate(shown)["disposition"] == "reject"
    assert [one["inspection"] for one in plant.queue("correction/1")[before:]] == [shown]
    assert one.ready() != shown


def test_with_the_time_over_undo_gives_way_to_a_correction(tablet, plant):
    one = tablet("max")
    shown = one.ready()
    one.test("reject").tap()
    one.test("undo").wait_for(state="visible")
    one.test("correct").wait_for(state="visible")
    assert not one.test("undo").is_visible()
    one.test("correct").tap()
    one.test("correct-accept").tap()
    one.test("correct-reason").fill("Kratzer war Staub")
    one.test("correct-go").tap()
    one.wait_text("message", "Korrigiert")
    found = [one for one in plant.queue("correction/1") if one["inspection"] == shown]
    assert [(one["to"], one["reason"], one["undo"]) for one in found] == [
        ("accept", "Kratzer war Staub", False)
    ]
    until(lambda: plant.fate(shown), plant.moment)
    assert plant.fate(shown)["disposition"] == "reject"
