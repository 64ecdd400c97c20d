"""axe-core on every page, in both languages, with nothing and with something on them."""

import pytest
from axe_playwright_python.sync_playwright import Axe

AXE = Axe()
GRAVE = ("serious", "critical")
PAGES = ("queue", "line", "camera", "history", "people", "settings")


@pytest.fixture(scope="module")
def plant(blurred_plant):
    return blurred_plant


def grave(one):
    """What axe-core finds that keeps somebody from using this page."""
    found = AXE.run(one.page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:200]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("person", "language"), [("lena", "en"), ("emma", "de")])
def test_no_page_has_a_grave_fault(tablet, plant, person, language):
    one = tablet(language=language)
    faults = {}
    one.page.goto("/sign-in")
    faults["sign-in"] = grave(one)
    one.sign_in({"lena": "100", "emma": "300"}[person], plant.pins[person])
    for path in PAGES:
        one.page.goto(f"/{path}")
        assert one.page.locator("html").get_attribute("lang") == language
        if path == "queue":
            shown = one.ready()
            one.test("reject").tap()
            one.next_part(shown)
        faults[path] = grave(one)
    one.page.goto(f"/history/{shown}")
    faults["inspection"] = grave(one)
    one.page.goto("/queue")
    one.ready()
    one.test("group-open").first.tap()
    faults["group"] = grave(one)
    one.page.keyboard.press("Escape")
    one.test("who").tap()
    faults["menu"] = grave(one)
    one.test("lock").tap()
    one.wait_state("locked")
    faults["locked"] = grave(one)
    assert {page: found for page, found in faults.items() if found} == {}


def test_the_first_start_has_no_grave_fault(chromium, make_plant, tablet):
    empty = make_plant("web", persons=False)
    one = tablet(address=empty.address)
    one.page.goto("/first")
    assert grave(one) == []
