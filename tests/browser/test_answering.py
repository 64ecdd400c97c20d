"""Two persons answer, one by keyboard, one by touch; taps and keys never reach the next part."""

import pytest

from tests.browser.persons import PERSONS

EACH = 20
PAIRS = 50
APART_MS = 80
STILL_MS = 600
VERDICTS = ("accept", "reject", "unsure")
FINGERS = ("otto", "ida", "max", "lena", "emma")


@pytest.fixture(scope="module")
def plant(make_plant):
    return make_plant("run", "web")


def by_key(tablet, verdict):
    tablet.page.keyboard.press(key_of(tablet, verdict))


def key_of(tablet, verdict):
    """The key that the button says it has."""
    return tablet.test(verdict).get_attribute("aria-keyshortcuts")


def by_touch(tablet, verdict):
    tablet.test(verdict).tap()


def answer(tablet, act, verdict, given):
    shown = tablet.ready()
    number = tablet.test("part-number").inner_text()
    act(tablet, verdict)
    given.append((shown, number, verdict))
    return shown


def recorded(plant, person):
    by = plant.persons[person].id
    return [
        (one["inspection"], one["part_id"], one["verdict"])
        for one in plant.queue()
        if one["by"] == by
    ]


@pytest.mark.slow
def test_twenty_parts_by_keyboard_and_twenty_by_touch(tablet, plant):
    keyboard, touch = tablet("otto", has_touch=False), tablet("ida")
    keyed, tapped = [], []
    for number in range(EACH):
        verdict = ("reject", "accept", "accept", "unsure")[number % 4]
        first = answer(keyboard, by_key, verdict, keyed)
        second = answer(touch, by_touch, verdict, tapped)
        keyboard.next_part(first)
        touch.next_part(second)
    assert recorded(plant, "otto") == keyed
    assert recorded(plant, "ida") == tapped
    assert len({inspection for inspection, _, _ in keyed + tapped}) == 2 * EACH


def test_each_verdict_carries_what_was_on_the_screen(tablet, plant):
    one = tablet("otto")
    shown = one.ready()
    one.test("note").fill("scratched <b>here</b>")
    one.page.keyboard.press("Enter")
    by_touch(one, "reject")
    one.next_part(shown)
    (said,) = [verdict for verdict in plant.queue() if verdict["inspection"] == shown]
    (asked,) = [record for record in plant.line() if record.get("id") == shown]
    assert said["picture"] == asked["image"]["sha256"]
    assert said["part_id"] == asked["part_id"]
    assert (said["via"], said["basis"], said["answer_shown"]) == ("page", "picture", False)
    assert said["note"] == "scratched <b>here</b>"
    assert said["by"] == plant.persons["otto"].id
    assert "Otto" not in str(said)


def double_tap(tablet, verdict):
    """Two taps of one finger, 80 ms apart by the browser's own clock; how far they really were."""
    box = tablet.test(verdict).bounding_box()
    where = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}]
    touches = tablet.context.new_cdp_session(tablet.page)
    tablet.page.evaluate("window.taps = []")
    for tap in range(2):
        if tap:
            tablet.page.evaluate("ms => new Promise((done) => setTimeout(done, ms))", APART_MS)
        for kind, points in (("touchStart", where), ("touchEnd", [])):
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touches.detach()
    first, second = tablet.page.evaluate("window.taps")
    return second - first


@pytest.mark.slow
def test_a_double_tap_is_never_two_verdicts(tablet, plant):
    tablets = [tablet(person) for person in FINGERS]
    for one in tablets:
        one.page.evaluate(
            "addEventListener('pointerdown', (event) => window.taps?.push(event.timeStamp), true)"
        )
    pairs = 0
    while pairs < PAIRS:
        before, shown = len(plant.queue()), [one.ready() for one in tablets]
        apart = [double_tap(one, "reject") for one in tablets]
        for one, part in zip(tablets, shown, strict=True):
            one.next_part(part)
        if max(apart) >= STILL_MS:
            continue  # the machine was held up: two taps that are so far apart are meant
        assert sorted(said["inspection"] for said in plant.queue()[before:]) == sorted(shown)
        pairs += len(shown)


def test_a_key_that_is_held_down_answers_one_part(tablet, plant):
    one = tablet("otto", has_touch=False)
    before, first, key = len(plant.queue()), one.ready(), key_of(one, "reject")
    one.page.keyboard.down(key)
    second = one.next_part(first)
    for _ in range(30):
        one.page.keyboard.down(key)  # what the keyboard repeats
    assert one.ready() == second
    assert [said["inspection"] for said in plant.queue()[before:]] == [first]
    one.page.keyboard.up(key)
    by_key(one, "reject")
    one.next_part(second)
    assert [said["inspection"] for said in plant.queue()[before:]] == [first, second]


def test_a_focused_button_and_its_key_held_down_answer_one_part(tablet, plant):
    one = tablet("otto", has_touch=False)
    before, first = len(plant.queue()), one.ready()
    one.test("reject").focus()
    one.page.keyboard.down("Enter")
    second = one.next_part(first)
    for _ in range(30):
        one.page.keyboard.down("Enter")
    assert one.ready() == second
    assert [said["inspection"] for said in plant.queue()[before:]] == [first]


def test_buttons_and_keys_are_dead_until_the_picture_is_drawn(tablet, plant):
    one = tablet()
    waiting = one.hold("**/api/v1/pictures/**")
    one.sign_in(PERSONS["otto"].number, plant.pins["otto"])
    one.wait_state("drawing")
    before = len(plant.queue())
    for verdict in VERDICTS:
        assert one.test(verdict).get_attribute("aria-disabled") == "true"
        one.test(verdict).dispatch_event("click")
        one.test(verdict).tap(force=True)
        by_key(one, verdict)
    assert one.shown()
    one.page.unroute("**/api/v1/pictures/**")
    for request in waiting:
        request.continue_()
    part = one.ready()
    assert len(plant.queue()) == before
    by_touch(one, "reject")
    one.next_part(part)
    assert [said["inspection"] for said in plant.queue()[before:]] == [part]


def test_a_finger_that_came_down_before_the_part_changed_does_not_answer_the_next(tablet, plant):
    """A press counts where it begins and ends while the same part can be answered."""
    one = tablet("otto")
    before, first = len(plant.queue()), one.ready()
    box = one.test("accept").bounding_box()
    where = [{"x": box["x"] + 20, "y": box["y"] + 20}]
    touches = one.context.new_cdp_session(one.page)
    by_key(one, "reject")
    touches.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": where})
    second = one.next_part(first)
    touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touches.detach()
    assert one.ready() == second
    assert [said["inspection"] for said in plant.queue()[before:]] == [first]
