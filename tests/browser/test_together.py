"""Several persons at one queue: nobody is asked what another has, first answer wins."""

import pytest

from tests.simulators.patience import until

PARTS = 3


@pytest.fixture(scope="module")
def plant(usual_plant):
    return usual_plant


def test_two_persons_are_never_asked_about_one_part(tablet, plant):
    first, second = tablet("otto"), tablet("ida")
    for _ in range(PARTS):
        one, other = first.ready(), second.ready()
        assert one != other
        first.test("reject").tap()
        second.test("reject").tap()
        first.next_part(one)
        second.next_part(other)


@pytest.mark.slow
def test_a_part_whose_lease_ran_out_is_the_next_one_s_and_the_first_answer_wins(tablet, plant):
    sleeper, other, before = tablet("otto"), tablet("ida"), len(plant.queue())
    with sleeper.bearing("409"):
        sleeper.hold("**/renew", 1000)  # as if the tablet slept
        part = sleeper.ready()
        shown = other.ready()
        assert shown != part
        while shown != part:  # the oldest waits first: it comes back as soon as it is free
            other.test("reject").tap()
            shown = other.next_part(shown)
        other.test("accept").tap()
        other.next_part(part)
        until(lambda: plant.fate(part), plant.moment)
        if sleeper.shown() == part:
            sleeper.test("reject").tap()
        sleeper.wait_text("message", r"[Aa]nswered by somebody else at \d\d:\d\d:\d\d")
    said = [verdict for verdict in plant.queue()[before:] if verdict["inspection"] == part]
    assert [one["verdict"] for one in said] == ["accept"]
    assert plant.fate(part)["disposition"] == "accept"
    assert sleeper.ready() != part
