"""Each cause is raised once and ended once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.monitor.alarms import Alarms
from edge.records import Alarm
from tests.edge.workers.parts import ORIGIN, FakeClock


def alarms() -> tuple[Alarms, FakeClock]:
    clock = FakeClock()
    return Alarms(ORIGIN, clock.new_id), clock


def test_a_cause_is_raised_once_however_often_it_is_seen_and_ended_once() -> None:
    seen, clock = alarms()
    raised = seen.see("camera", "it is gone", clock.moment())
    assert raised is not None
    assert (raised.state, raised.message) == ("raised", "it is gone")
    clock.move(1)
    assert seen.see("camera", "still gone", clock.moment()) is None
    assert [one.message for one in seen.standing] == ["it is gone"]
    ended = seen.see("camera", None, clock.moment())
    assert ended is not None
    assert (ended.state, ended.message, ended.cause) == ("ended", "it is gone", "camera")
    assert seen.see("camera", None, clock.moment()) is None
    assert seen.standing == ()


def test_the_oldest_stands_first_and_knows_since_when() -> None:
    seen, clock = alarms()
    first = clock.moment()
    seen.see("model", "m", first)
    clock.move(5)
    seen.see("camera", "c", clock.moment())
    assert [one.cause for one in seen.standing] == ["model", "camera"]
    assert seen.standing[0].since == first


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.text(max_size=3))))
def test_records_of_a_cause_alternate(steps: list[tuple[str, str | None]]) -> None:
    seen, clock = alarms()
    made = [seen.see(cause, message, clock.moment()) for cause, message in steps]
    for cause in "abc":
        states = [one.state for one in made if isinstance(one, Alarm) and one.cause == cause]
        assert states == ["raised", "ended"] * (len(states) // 2) + ["raised"] * (len(states) % 2)
        standing = any(one.cause == cause for one in seen.standing)
        assert standing == bool(len(states) % 2)
