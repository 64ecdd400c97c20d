"""Models that come and go under load, in real child processes: no part is lost, none is judged by
another model's cuts, and what a candidate does stays with the candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.records import Inspection
from edge.workers.fitted import Fitted
from edge.workers.models import NotReady
from tests.edge.workers.crew import Crew, constant, fitted, poisoned
from tests.inference.bundles import alive

Make = Callable[..., Crew]


def way_back(line: Crew) -> bool:
    """Whether a return would find a warm child."""
    return line.models.returning is not None and line.models.returning.up


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Make]:
    made: list[Crew] = []

    def make(calibration: str | None = "cal-old", **more: object) -> Crew:
        active = fitted(constant(tmp_path, "old", 1.0), calibration)
        made.append(Crew(active, **more))  # type: ignore[arg-type]
        return made[0]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def new(tmp_path: Path) -> Fitted:
    return fitted(constant(tmp_path, "new", 1.5), "cal-new")


SCORES = {"old": 0.119203, "new": 0.047426, "bright": None}


def of_one_piece(parts: list[Inspection]) -> Counter[str]:
    """How many parts each model decided. Score, model and cuts of a part belong together."""
    counted: Counter[str] = Counter()
    for part in parts:
        assert part.model is not None
        name = str(part.model["name"])
        assert part.cuts is not None
        assert part.cuts.calibration == f"cal-{name}"
        assert part.score == pytest.approx(SCORES[name], abs=1e-5)
        assert part.decision == "accept"
        counted[name] += 1
    return counted


def test_models_change_under_load_and_no_part_is_lost_or_mixed_up(crew: Make, new: Fitted) -> None:
    line = crew()
    line.run()
    for _ in range(2):
        line.load(new, prepare=True)
        line.parts(20)
        line.models.promote()
        line.parts(20)
        line.models.restore()
        line.parts(20)
    counted = of_one_piece(line.end())
    assert counted["old"] >= 40
    assert counted["new"] >= 40


def test_children_that_decide_are_asked_by_the_inspect_thread_alone_once_they_are_warm(
    crew: Make, new: Fitted
) -> None:
    line = crew()
    line.run()
    line.load(new, prepare=True)
    line.models.canary(0.5)
    line.parts(50)
    line.wait(lambda: {pair.decided_by for pair in line.found} == {"active", "candidate"})
    line.models.promote()
    line.parts(50)
    line.models.restore()
    line.parts(5)
    of_one_piece(line.end())
    for worker in line.started:
        asked = worker.threads if worker.idle else worker.threads[5:]
        assert set(asked) <= {"shadow" if worker.idle else "inspect"}
    main = next(one for one in line.started if one.bundle is new.bundle and not one.idle)
    assert main.threads[:5] == ["shadow"] * 5, "warm before its first part"


def test_nothing_decides_before_it_is_warm(crew: Make, new: Fitted) -> None:
    line = crew()
    with pytest.raises(NotReady):
        line.models.promote()
    with pytest.raises(NotReady):
        line.models.restore()
    line.models.load(new)
    line.models.canary(1.0)
    assert line.desk.seats.canary is None
    with pytest.raises(NotReady):
        line.models.promote()
    assert line.models.active.digest != new.digest
    line.wait(lambda: line.models.prepared)
    line.tend()
    assert line.desk.seats.canary is not None


def test_a_share_of_the_parts_is_the_candidate_s_and_ends_with_it(crew: Make, new: Fitted) -> None:
    line = crew()
    line.run()
    line.load(new, prepare=True)
    line.models.canary(0.5)
    line.parts(200)
    line.models.drop_candidate()
    line.parts(1)  # the one that was under way
    before = line.inspector.inspected
    line.parts(50)
    parts = line.end()
    counted = of_one_piece(parts)
    assert 60 < counted["new"] < counted["old"]
    assert all("canary" not in part.tags for part in parts[before:])
    assert all(("canary" in part.tags) == (part.model == new.setup.model) for part in parts)


def test_in_shadow_the_candidate_answers_afterwards_and_decides_nothing(
    crew: Make, new: Fitted
) -> None:
    line = crew()
    line.run()
    line.load(new)
    line.wait(lambda: len(line.found) >= 20)
    parts = {part.id: part for part in line.end()}
    assert set(of_one_piece(list(parts.values()))) == {"old"}
    for pair in line.found:
        part = parts[pair.inspection]
        assert (pair.decided_by, pair.active.score) == ("active", part.score)
        assert pair.candidate.score == pytest.approx(SCORES["new"], abs=1e-5)
        assert (pair.active.would_be, pair.candidate.would_be) == ("accept", "accept")
        assert pair.active.ms > 0
        assert pair.candidate.ms > 0
    assert len({pair.inspection for pair in line.found}) == len(line.found)


def test_new_cuts_of_a_candidate_count_from_then_on(crew: Make, tmp_path: Path) -> None:
    line = crew()
    line.run()
    without = fitted(constant(tmp_path, "new", 1.5))
    line.load(without)
    line.wait(lambda: line.found)
    assert line.found[-1].candidate.would_be is None
    new = fitted(constant(tmp_path, "same", 1.5), "cal-new")
    line.models.judge(new.basis, new.facts)
    line.wait(lambda: line.found[-1].candidate.would_be == "accept")


def test_during_a_trial_the_previous_model_answers_the_same_parts(crew: Make, new: Fitted) -> None:
    line = crew()
    line.run()
    line.load(new, prepare=True)
    line.models.promote()
    assert line.models.candidate is None
    assert line.models.returning is not None
    line.forget()
    line.wait(lambda: len(line.found) >= 10)
    for pair in line.found:
        assert pair.decided_by == "candidate"
        assert pair.candidate.score == pytest.approx(SCORES["new"], abs=1e-5)
        assert pair.active.score == pytest.approx(SCORES["old"], abs=1e-5)
    line.models.drop_previous()
    line.forget()
    line.parts(50)
    assert line.found == []
    assert line.models.returning is None


def test_after_a_restart_in_a_trial_the_way_back_is_there_again(crew: Make, new: Fitted) -> None:
    line = crew()
    line.run()
    line.models.load_previous(new)
    assert not way_back(line)
    line.wait(lambda: way_back(line))
    line.wait(lambda: line.found)
    assert line.found[0].decided_by == "candidate"
    line.models.restore()
    line.parts(10)
    counted = of_one_piece(line.end())
    assert counted["new"] >= 9


def untouched(line: Crew) -> list[Inspection]:
    """Everything was decided by the active model, as always."""
    parts = line.end()
    assert set(of_one_piece(parts)) == {"old"}
    assert all(part.fault is None for part in parts)
    return parts


def test_a_crash_in_shadow_is_the_candidate_s_alone(crew: Make, tmp_path: Path) -> None:
    line = crew(hang_ms=20_000.0)  # a busy machine lets a twin wait
    line.run()
    line.load(poisoned(tmp_path, "crash_on_frame", "cal-bright", frame=12))
    line.wait(lambda: len(line.models.candidate.deaths) >= 2)  # type: ignore[union-attr]
    line.parts(20)
    assert line.models.candidate is not None
    code, words = line.models.candidate.fault or ("", "")
    assert code == "died"
    # the exit code of one at the lowest priority may come after the end of its pipe
    assert "SIGFPE" in words or "closed its pipe" in words
    assert any(pair.candidate.fault == "died" for pair in line.found)
    assert line.models.deaths == ()
    untouched(line)


def test_a_hang_in_shadow_is_the_candidate_s_alone(crew: Make, tmp_path: Path) -> None:
    line = crew()
    line.run()
    line.load(poisoned(tmp_path, "hang_on_frame", "cal-bright", frame=8))
    line.wait(lambda: line.models.candidate.deaths)  # type: ignore[union-attr]
    line.parts(20)
    assert line.models.candidate is not None
    assert (line.models.candidate.fault or ("",))[0] == "hung"
    untouched(line)


def test_what_does_not_load_says_so_and_never_gets_warm(crew: Make, tmp_path: Path) -> None:
    line = crew()
    line.run()
    line.models.load(poisoned(tmp_path, "crash_on_load", "cal-bright"))
    line.models.canary(1.0)
    line.wait(lambda: len(line.models.candidate.deaths) >= 3)  # type: ignore[union-attr]
    assert not line.models.candidate_ready
    assert not line.models.prepared
    line.parts(20)
    untouched(line)


def test_what_answers_nonsense_is_told_apart_and_accepts_nothing(
    crew: Make, tmp_path: Path
) -> None:
    line = crew()
    line.run()
    line.models.load(poisoned(tmp_path, "nan", "cal-bright"))
    line.models.canary(0.5)
    candidate = line.models.candidate
    assert candidate is not None
    line.wait(lambda: candidate.hopeless or line.models.prepared)
    line.parts(100)
    parts = line.end()
    theirs = [part for part in parts if part.model is None]
    assert {part.fault for part in theirs} <= {"nonsense"}
    of_one_piece([part for part in parts if part.model is not None])


def test_a_canary_that_crashes_costs_the_part_that_was_with_it(crew: Make, tmp_path: Path) -> None:
    line = crew()
    line.run()
    line.load(poisoned(tmp_path, "crash_on_frame", "cal-bright", frame=12), prepare=True)
    line.models.canary(0.5)
    main = next(one for one in line.started if one.bundle.name == "bright" and not one.idle)
    line.wait(lambda: len(main.deaths) >= 2)
    line.models.drop_candidate()
    line.parts(20)
    parts = line.end()
    faults = [part for part in parts if part.fault is not None]
    assert len(faults) == len(main.deaths)
    assert all("canary" in part.tags and part.decision == "escalate" for part in faults)
    ours = [part for part in parts if "canary" not in part.tags]
    assert set(of_one_piece(ours)) == {"old"}


def test_three_deaths_of_the_active_model_are_told_and_the_way_back_is_at_once(
    crew: Make, new: Fitted
) -> None:
    line = crew()
    line.run()
    line.load(new, prepare=True)
    line.models.promote()
    for deaths in (1, 2, 3):
        assert line.models.acting.falling is None
        line.wait(lambda: line.models.ready)
        line.kill(line.desk.seats.active.model)  # type: ignore[arg-type]
        line.wait(lambda deaths=deaths: len(line.models.deaths) == deaths)
    line.tend()
    assert "SIGKILL" in (line.models.acting.falling or "")
    line.models.restore()
    assert line.models.acting.falling is None
    line.parts(1)
    done = line.inspector.inspected
    line.parts(20)
    assert set(of_one_piece(line.end()[done:])) == {"old"}


def test_without_a_model_persons_decide_at_once(crew: Make, new: Fitted) -> None:
    line = crew()
    line.run()
    line.parts(5)
    none = Fitted("factory", None, new.setup, new.basis, new.facts, new.find)
    line.models.give_up(none)
    line.parts(1)
    done = line.inspector.inspected
    line.parts(5)
    assert line.models.ready
    assert line.models.acting.pid is None
    assert all(part.decision == "escalate" for part in line.end()[done:])


def test_a_model_that_is_unseated_decides_nothing_until_the_one_before_is_back(
    crew: Make, new: Fitted
) -> None:
    line = crew()
    line.run()
    line.models.load_previous(new)
    line.models.unseat(Fitted("factory", None, new.setup, new.basis, new.facts, new.find))
    line.parts(1)
    done = line.inspector.inspected
    line.parts(5)
    away = line.inspector.inspected
    line.wait(lambda: way_back(line))
    back = line.models.returning
    line.models.restore()
    assert back is not None
    assert line.desk.seats.active.model is back.process
    line.parts(1)
    since = line.inspector.inspected
    line.parts(5)
    parts = line.end()
    assert all(part.decision == "escalate" for part in parts[done:away])
    assert set(of_one_piece(parts[since:])) == {"new"}


def test_what_is_dropped_ends_when_no_part_can_be_with_it(crew: Make, new: Fitted) -> None:
    line = crew()
    line.load(new, prepare=True)
    pids = [one.pid for one in line.started if one.bundle is new.bundle]
    assert len(pids) == 2
    line.models.drop_candidate()
    line.tend()
    assert all(alive(pid) for pid in pids if pid is not None)
    line.clock.ahead_ns += 3 * 10**9
    line.shadow._wake.set()
    line.wait(lambda: not any(alive(pid) for pid in pids if pid is not None))
    assert line.models.ready


def test_the_end_does_not_wait_for_a_model_that_hangs(crew: Make, tmp_path: Path) -> None:
    line = crew(hang_ms=1e9)
    line.run()
    line.load(poisoned(tmp_path, "hang_on_frame", frame=8))
    twin = next(one for one in line.started if one.idle)
    line.wait(lambda: len(twin.threads) >= 8)
    line.close()
    assert all(one.pid is None for one in line.started)


def test_a_candidate_replaces_the_one_before(crew: Make, new: Fitted, tmp_path: Path) -> None:
    line = crew()
    line.run()
    line.load(fitted(constant(tmp_path, "first", 2.0)), prepare=True)
    line.models.canary(1.0)
    line.load(new)
    assert (line.models.share, line.desk.seats.canary) == (0.0, None)
    line.forget()
    line.wait(lambda: len(line.found) >= 5)
    scores = {round(pair.candidate.score or 0.0, 4) for pair in line.found}
    assert scores == {0.0474}


def test_facts_about_a_candidate_hold_its_parts_down(crew: Make, new: Fitted) -> None:
    from dataclasses import replace

    line = crew()
    line.run()
    guessed = replace(new, facts=replace(new.facts, unconfirmed=("labels",)))
    line.load(guessed, prepare=True)
    line.models.canary(1.0)
    line.tend()
    done = line.inspector.inspected + 1
    line.parts(20)
    parts = line.end()
    assert {part.automation for part in parts[done:]} == {"shadow"}
    assert {part.decision for part in parts[done:]} == {"escalate"}
