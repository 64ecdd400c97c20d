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
def plant(usual_plant):
    return usual_plant


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


def recorded(plant, person, before):
    by = plant.persons[person].id
    return [
        (one["inspection"], one["part_id"], one["verdict"])
        for one in plant.queue()[before:]
        if one["by"] == by
    ]


@pytest.mark.slow
def test_twenty_parts_by_keyboard_and_twenty_by_touch(tablet, plant):
    keyboard, touch = tablet("otto", has_touch=False), tablet("ida")
    before, keyed, tapped = len(plant.queue()), [], []
    for number in range(EACH):
        verdict = ("reject", "accept", "accept", "unsure")[number % 4]
        first = answer(keyboard, by_key, verdict, keyed)
        second = answer(touch, by_touch, verdict, tapped)
        keyboard.next_part(first)
        touch.next_part(second)
    assert recorded(plant, "otto", before) == keyed
    assert recorded(plant, "ida", before) == tapped
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


class Finger:
    """Taps one button of one tablet by real touches of the browser's own protocol."""

    def __init__(self, tablet, name):
        tablet.ready()  # nothing moves any more
        box = tablet.test(name).bounding_box()
        self._where = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}]
        self._page = tablet.page
        self._touches = tablet.context.new_cdp_session(tablet.page)
        self._page.evaluate(
            "addEventListener('pointerdown', (event) => window.taps.push(event.timeStamp), true)"
        )

    def twice(self):
        """Two taps, 80 ms apart by the browser's own clock; how far apart they really were."""
        self._page.evaluate("window.taps = []")
        self._tap()
        self._page.evaluate("ms => new Promise((done) => setTimeout(done, ms))", APART_MS)
        self._tap()
        first, second = self._page.evaluate("window.taps")
        return second - first

    def _tap(self):
        for kind, points in (("touchStart", self._where), ("touchEnd", [])):
            self._touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.mark.slow
def test_a_double_tap_is_never_two_verdicts(tablet, plant):
    tablets = [tablet(person) for person in FINGERS]
    fingers = [Finger(one, "reject") for one in tablets]
    pairs = 0
    while pairs < PAIRS:
        before, shown = len(plant.queue()), [one.ready() for one in tablets]
        apart = [finger.twice() for finger in fingers]
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
    for picture in waiting:
        picture.continue_()
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
    touches.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": where})
    by_key(one, "reject")
    second = one.next_part(first)
    touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touches.detach()
    assert one.ready() == second
    assert [said["inspection"] for said in plant.queue()[before:]] == [first]
