"""Who is away for a while is locked out; how many wait stays in sight."""

import pytest

from tests.browser.persons import BADGES


@pytest.fixture(scope="module")
def plant(make_plant):
    return make_plant("run", "web", web={"lock_after_s": 10})


def lock(one):
    one.test("who").tap()
    one.test("lock").tap()
    one.wait_state("locked")
    one.wait_text("locked-waiting", r"[1-9]")
    assert "SIMULATED" in one.test("locked-demo").inner_text()


def test_a_locked_page_counts_on_and_opens_by_pin_on_its_large_keys(tablet, plant):
    one = tablet("otto", anew=True)
    one.ready()
    lock(one)
    before = int(one.test("locked-waiting").inner_text())
    one.page.wait_for_function(
        "([shown, before]) => Number(document.querySelector(shown).textContent) > before",
        arg=["[data-test=locked-waiting]", before],
    )
    for digit in plant.pins["otto"]:
        key = one.test("locked").locator(f'[data-test="key-{digit}"]')
        box = key.bounding_box()
        assert min(box["width"], box["height"]) >= 64
        key.tap()
    one.test("unlock-go").tap()
    one.ready()


def test_a_badge_that_types_opens_it_too(tablet, plant):
    one = tablet("otto", anew=True)
    one.ready()
    lock(one)
    one.swipe(BADGES["otto"])
    one.ready()


def test_another_person_s_badge_does_not(tablet, plant):
    one = tablet("otto", anew=True)
    one.ready()
    lock(one)
    with one.bearing("401"):
        one.swipe(BADGES["ida"])
        one.test("locked").locator('[role="alert"]').filter(has_text="not").wait_for()
    assert one.page.locator("body").get_attribute("data-state") == "locked"


@pytest.mark.slow
def test_nobody_there_for_a_while_locks_it(tablet, plant):
    one = tablet("ida", anew=True)
    one.ready()
    one.wait_state("locked")
    assert one.test("locked-waiting").is_visible()
    assert not one.test("accept").is_enabled() or one.test("locked").is_visible()
