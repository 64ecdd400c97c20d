"""Line, camera and history: what they show is what the station recorded."""

import re

import pytest

from tests.simulators.patience import until


@pytest.fixture(scope="module")
def plant(usual_plant):
    return usual_plant


def answered(one, verdict="reject"):
    """Answer one part; its inspection."""
    shown = one.ready()
    one.test(verdict).tap()
    one.next_part(shown)
    return shown


def test_an_answer_is_found_in_the_history_and_corrected_with_a_reason(tablet, plant):
    one = tablet("lena")
    part = one.ready()
    number = one.test("part-number").inner_text()
    one.test("note").fill("a dent <i>here</i>")
    one.page.keyboard.press("Enter")
    assert answered(one) == part
    until(lambda: plant.fate(part), plant.moment)

    one.test("nav-history").tap()
    one.page.locator('[name="part"]').fill(number)
    one.test("search-go").tap()
    one.page.wait_for_url("**/history?*")
    one.page.locator(f'a[href*="{part}"]').first.click()
    one.page.wait_for_url(f"**/history/{part}*")
    assert one.test("part").inner_text() == number
    said = one.test("answers").inner_text()
    assert "a dent <i>here</i>" in said
    (record,) = [found for found in plant.line() if found.get("id") == part]
    assert re.fullmatch("[0-9a-f]{64}", one.test("hash").inner_text())
    assert record["model"]["name"] in one.page.locator("main").inner_text()

    one.test("correction").locator("summary").tap()
    one.test("correction-accept").check()
    one.test("correction-reason").fill("it was dust")
    with one.page.expect_navigation():
        one.test("correction-go").tap()
    assert "it was dust" in one.test("answers").inner_text()
    (made,) = [found for found in plant.queue("correction/1") if found["inspection"] == part]
    assert (made["to"], made["reason"]) == ("accept", "it was dust")
    assert plant.fate(part)["disposition"] == "reject"


def test_the_camera_page_shows_the_living_picture(tablet, plant):
    one = tablet("lena", "/camera")
    one.page.wait_for_selector('[data-test="live-picture"]:not([hidden])')
    first = one.test("live-picture").get_attribute("src")
    one.page.wait_for_selector(f'[data-test="live-picture"]:not([src="{first}"])')
    assert not one.test("camera-down").is_visible()


def test_the_page_of_the_line_says_what_became_of_the_parts(tablet, plant):
    one = tablet("otto")
    answered(one)
    one.test("nav-line").tap()
    shown = one.test("tile-parts").locator(".number").inner_text()
    assert 0 < int(shown) <= len([r for r in plant.line() if r["schema"] == "inspection/1"])
    assert one.test("degree").is_visible()
    assert one.test("dispositions").is_visible()


def test_with_the_line_down_every_page_says_so(tablet, make_plant, plant):
    one = tablet("ida")
    one.ready()
    plant.kill("run")
    one.test("banner-line").wait_for(state="visible")
    answered(one)  # what waits can be answered
    plant.start("run")
    one.test("banner-line").wait_for(state="hidden")
