"""From the first start to a shift: the first lead, persons who are let in, roles, languages."""

import pytest

from tests.browser.persons import BADGES

LEAD_PIN, GIVEN_PIN, OWN_PIN = "482913", "7391", "8264"
PAGES = ("queue", "line", "camera", "history", "people")


@pytest.fixture(scope="module")
def plant(make_plant):
    return make_plant("run", "web", persons=False)


def test_the_first_lead_comes_in_by_code_and_lets_an_operator_in(tablet, plant):
    lead = tablet()
    lead.page.goto("/")
    lead.page.wait_for_url("**/first")
    for field, value in (
        ("code", plant.first_code()),
        ("name", "Lena <script>alert(1)</script>"),
        ("number", "100"),
        ("pin", LEAD_PIN),
    ):
        lead.test(f"first-{field}").fill(value)
    lead.test("first-go").tap()
    lead.page.wait_for_url("**/queue")
    lead.ready()
    assert lead.test("who").inner_text() == "Lena <script>alert(1)</script>"

    lead.test("nav-people").tap()
    for field, value in (("name", "Otto Operator"), ("number", "201"), ("pin", GIVEN_PIN)):
        lead.test(f"add-{field}").fill(value)
    lead.test("add-language").select_option("de")
    lead.test("add-go").tap()
    lead.test("done").wait_for()
    assert "Otto Operator" in lead.test("persons").inner_text()

    other = tablet()
    other.page.goto("/first")  # the code is spent
    assert other.page.url.endswith("/sign-in")

    operator = tablet()
    operator.sign_in("201", GIVEN_PIN, "/settings")
    assert operator.test("must-change").is_visible()
    operator.page.locator('[name="old"]').fill(GIVEN_PIN)
    operator.page.locator('[data-test="pin-form"] [name="pin"]').fill(OWN_PIN)
    operator.test("pin-go").tap()
    operator.test("done").wait_for()
    operator.page.goto("/queue")
    shown = operator.ready()
    operator.test("reject").tap()
    operator.next_part(shown)
    (said,) = plant.queue()
    added = [one for one in plant.queue("access/1") if one["action"] == "person_added"]
    assert said["by"] == added[0]["about"]


def test_whoever_has_no_business_there_sees_neither_camera_nor_people(tablet, plant):
    one = tablet()
    one.sign_in("201", OWN_PIN)
    seen = [name for name in PAGES if one.test(f"nav-{name}").count()]
    assert seen == ["queue", "line", "history"]
    with one.bearing("status of 403"):
        for path in ("/camera", "/people"):
            assert one.page.goto(path).status == 403
            assert one.test("persons").count() == 0


def test_wrong_pins_are_refused_and_must_wait(tablet, plant):
    one = tablet()
    one.page.goto("/sign-in")
    with one.bearing("status of 4(01|29)"):
        for _ in range(8):
            one.test("sign-in-number").fill("4711")
            one.test("sign-in-pin").fill("1357")
            with one.page.expect_response("**/sign-in") as answered:
                one.test("sign-in-go").tap()
            one.page.locator("[data-wrong]").filter(has_text=r".").first.wait_for()
            if answered.value.status == 429:
                break
        assert answered.value.status == 429
    assert "Wait" in one.page.locator("[data-wrong]").first.inner_text()


def test_everybody_reads_in_their_own_language(tablet, plant):
    german = tablet()
    german.sign_in("201", OWN_PIN)
    german.ready()
    assert german.page.locator("html").get_attribute("lang") == "de"
    assert (
        "Gut" in german.test("accept").inner_text()
        or "nehmen" in german.test("accept").inner_text()
    )
    german.page.goto("/settings")
    german.test("language-en").tap()
    german.test("done").wait_for()
    german.page.goto("/queue")
    german.ready()
    assert german.page.locator("html").get_attribute("lang") == "en"
    assert "Accept" in german.test("accept").inner_text()


def test_before_anybody_is_known_the_language_is_the_browser_s_or_the_one_that_was_chosen(
    tablet, plant
):
    one = tablet(language="de-DE")
    one.page.goto("/sign-in")
    assert one.page.locator("html").get_attribute("lang") == "de"
    one.test("language-en").tap()
    one.page.wait_for_selector('html[lang="en"]')
    assert "Otto" not in one.page.content()
    assert "Lena" not in one.page.content()


def test_a_badge_signs_in(tablet, plant):
    lead = tablet()
    lead.sign_in("100", LEAD_PIN, "/people")
    otto = lead.test("persons").locator("li").filter(has_text="Otto Operator")
    otto.locator("summary").tap()
    otto.locator('[data-test="badge"]').fill(BADGES["otto"])
    otto.locator('form[action$="/badge"] button').tap()
    lead.test("done").wait_for()
    one = tablet()
    one.page.goto("/sign-in")
    one.swipe(BADGES["otto"])
    one.page.wait_for_url("**/queue")
    assert one.test("who").inner_text() == "Otto Operator"
