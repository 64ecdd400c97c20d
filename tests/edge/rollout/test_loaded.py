"""The loaded models by their places: what is said of a candidate, and what waits for a child."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.rollout.loaded import LOADING_NS, WITHOUT_NS, Loaded, Surroundings
from edge.rollout.standing import NOTHING, Place
from edge.seating import Unusable
from edge.workers.models import NotReady
from inference.bundle import confirm, load
from tests.edge.rollout.candidates import place
from tests.edge.test_seating import Bench as Station
from tests.inference.bundles import make

OLD, NEW = place("f"), place("c", "a")


class Children:
    """Part of edge/workers/models.py: `Models`, with children that come up when told to."""

    def __init__(self) -> None:
        self.up = False
        self.candidate: Any = None
        self.previous: Any = None
        self.active: Any = fitted(OLD)
        self.acting = SimpleNamespace(falling=None)
        self.share = 0.0
        self.calls: list[str] = []
        self.back = SimpleNamespace(
            up=False, hopeless=False, fault=None, process=SimpleNamespace(deaths=())
        )

    @property
    def candidate_ready(self) -> bool:
        return self.candidate is not None and self.candidate.twin.warm

    @property
    def prepared(self) -> bool:
        return self.up

    @property
    def returning(self) -> Any:
        self.back.fitted = self.previous
        return None if self.previous is None else self.back

    def unseat(self, made: Any) -> None:
        self.calls.append("unseat")
        self.active = made

    def load(self, made: Any) -> None:
        self.candidate = SimpleNamespace(
            fitted=made, deaths=(), hopeless=False, fault=None, twin=SimpleNamespace(warm=False)
        )

    def load_previous(self, made: Any) -> None:
        self.calls.append("load_previous")
        self.previous = made

    def prepare(self) -> None:
        self.calls.append("prepare")

    def promote(self) -> None:
        if not self.up:
            raise NotReady("not yet")
        self.active, self.previous, self.candidate = self.candidate.fitted, self.active, None

    def restore(self) -> None:
        if not self.up:
            raise NotReady("not yet")
        self.active, self.previous, self.candidate = self.previous, None, None

    def give_up(self, made: Any) -> None:
        self.active = made

    def judge(self, basis: Any, facts: Any) -> None:
        old = self.candidate.fitted
        self.candidate.fitted = SimpleNamespace(
            slot=old.slot, digest=old.digest, bundle=old.bundle, basis=basis, facts=facts
        )

    def drop_candidate(self) -> None:
        self.candidate = None

    def drop_previous(self) -> None:
        self.previous = None


def fitted(at: Place) -> Any:
    """All that belongs to a place, as far as it matters here."""
    cuts = None if at.calibration is None else SimpleNamespace(calibration=at.calibration)
    return SimpleNamespace(
        slot=at.slot,
        digest=at.digest,
        bundle=SimpleNamespace(root=Path("nowhere")) if at.digest else None,
        basis=SimpleNamespace(cuts=cuts),
        facts=SimpleNamespace(unconfirmed=()),
    )


class Bench:
    def __init__(self) -> None:
        self.now_ns = 0
        self.gone: set[str] = set()
        self.children = Children()
        models: Any = self.children
        without = lambda why: fitted(NOTHING)  # noqa: E731
        around = Surroundings(self.fit, without, lambda: 7, lambda: self.now_ns)
        self.loaded = Loaded(models, OLD, around)

    def fit(self, at: Place) -> Any:
        if at.slot in self.gone:
            raise Unusable(f"slot {at.slot} is damaged")
        return fitted(at)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_candidate_that_is_damaged_says_so_and_nothing_is_loaded(bench: Bench) -> None:
    bench.gone = {"a"}
    bench.loaded.load(NEW)
    assert bench.children.candidate is None
    assert bench.loaded.fault is not None
    assert bench.loaded.fault.code == "unusable"
    bench.loaded.drop()
    assert bench.loaded.fault is None


def test_three_deaths_within_a_minute_end_a_candidate_two_do_not(bench: Bench) -> None:
    bench.loaded.load(NEW)
    bench.now_ns = 100 * 10**9
    bench.children.candidate.twin.warm = True
    bench.children.candidate.fault = ("died", "signal 11")
    bench.children.candidate.deaths = (10**9, 98 * 10**9, 99 * 10**9)
    assert bench.loaded.fault is None
    bench.children.candidate.deaths += (100 * 10**9,)
    assert bench.loaded.fault is not None
    assert "signal 11" in bench.loaded.fault.words


def test_one_that_never_answers_is_not_waited_for_for_ever(bench: Bench) -> None:
    bench.loaded.load(NEW)
    bench.now_ns = LOADING_NS
    assert bench.loaded.fault is None
    bench.now_ns += 1
    assert bench.loaded.fault is not None
    assert bench.loaded.fault.code == "hung"
    bench.children.candidate.fault = ("some_code_of_later", "words")
    assert bench.loaded.fault.code == "died"


def test_a_promotion_waits_until_the_child_can_decide(bench: Bench) -> None:
    bench.loaded.load(NEW)
    bench.loaded.promote(NEW)
    assert (bench.loaded.active, bench.loaded.beside) == (OLD, NEW)
    bench.children.up = True
    bench.loaded.promote(NEW)
    assert (bench.loaded.active, bench.loaded.beside) == (NEW, OLD)


def test_a_return_to_a_model_that_is_not_loaded_loads_it_first_and_once(bench: Bench) -> None:
    bench.loaded.active = NEW
    bench.loaded.restore(OLD)
    bench.loaded.restore(OLD)
    assert bench.children.calls == ["load_previous"]
    assert bench.loaded.active == NEW
    bench.children.up = True
    bench.loaded.restore(OLD)
    assert (bench.loaded.active, bench.loaded.beside) == (OLD, None)


def test_without_a_model_to_go_back_to_persons_decide_at_once(bench: Bench) -> None:
    bench.loaded.active = NEW
    bench.loaded.restore(NOTHING)
    assert bench.loaded.active == NOTHING
    assert bench.children.active.bundle is None


def test_a_model_that_has_to_go_does_not_decide_for_as_long_as_nobody_comes(bench: Bench) -> None:
    bench.loaded.active = NEW
    bench.now_ns = 10**9
    bench.loaded.restore(OLD)
    bench.now_ns += WITHOUT_NS
    bench.loaded.restore(OLD)
    assert bench.loaded.active == NEW
    bench.now_ns += 1
    bench.loaded.restore(OLD)
    bench.loaded.restore(OLD)
    assert bench.children.calls == ["load_previous", "unseat"]
    assert (bench.loaded.active, bench.children.active.bundle) == (NOTHING, None)
    bench.children.up = True
    bench.loaded.restore(OLD)
    assert bench.loaded.active == OLD


def test_a_model_that_has_to_go_goes_whatever_becomes_of_its_way_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(made: Any) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(bench.children, "load_previous", refused)
    bench.loaded.active = NEW
    bench.now_ns = 10**9
    for _ in range(2):
        with pytest.raises(OSError, match="too many open files"):
            bench.loaded.restore(OLD)
        bench.now_ns += WITHOUT_NS + 1
    assert (bench.loaded.active, bench.children.active.bundle) == (NOTHING, None)


@pytest.mark.parametrize("trial", [False, True])
def test_one_that_no_process_can_be_started_for_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, trial: bool
) -> None:
    def refused(made: Any) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    load = bench.loaded.keep if trial else bench.loaded.load
    with monkeypatch.context() as short:
        short.setattr(bench.children, "load_previous" if trial else "load", refused)
        with pytest.raises(OSError, match="too many open files"):
            load(NEW)
    assert bench.loaded.beside is None
    load(NEW)
    assert bench.loaded.beside == NEW


def test_a_return_that_cannot_be_is_told_and_another_one_found(bench: Bench) -> None:
    third = place("d", "b")
    bench.loaded.active, bench.gone = NEW, {"b"}
    bench.now_ns = 10**9
    assert bench.loaded.lost is None
    bench.loaded.restore(third)
    assert bench.loaded.lost is not None
    assert bench.loaded.lost.words == "slot b is damaged"
    assert bench.loaded.fault is None
    bench.loaded.restore(OLD)
    assert bench.loaded.lost is None
    bench.children.up = True
    bench.loaded.restore(OLD)
    assert (bench.loaded.active, bench.loaded.lost) == (OLD, None)


def test_a_return_that_does_not_come_up_is_told(bench: Bench) -> None:
    bench.loaded.active = NEW
    bench.now_ns = 200 * 10**9
    bench.loaded.restore(OLD)
    bench.now_ns += LOADING_NS
    assert bench.loaded.lost is None
    bench.children.back.process.deaths = (bench.now_ns - 2, bench.now_ns - 1, bench.now_ns)
    bench.children.back.fault = ("died", "signal 9")
    assert bench.loaded.lost is not None
    assert "signal 9" in bench.loaded.lost.words
    bench.children.back.process.deaths = ()
    assert bench.loaded.lost is None
    bench.now_ns += 1
    assert bench.loaded.lost is not None
    bench.children.back.up = True
    assert bench.loaded.lost is None


def test_a_station_that_had_no_model_has_none_again_since_whenever(bench: Bench) -> None:
    bench.loaded.active = NEW
    none = replace(NOTHING, since=5.0, factory="f")
    bench.loaded.restore(none)
    assert (bench.loaded.active, bench.children.active.bundle) == (none, None)


def test_cuts_that_do_not_fit_any_more_are_said(bench: Bench) -> None:
    assert bench.loaded.fits
    bench.loaded.load(NEW)
    assert bench.loaded.fits
    own = Place("a", NEW.digest, "rings", "1.1.0", "cal-c", "1" * 64)
    bench.loaded.calibrate(own)
    assert bench.loaded.fits
    bench.children.candidate.fitted.basis.cuts = None
    assert not bench.loaded.fits


def test_what_the_active_model_does_is_told(bench: Bench) -> None:
    assert (bench.loaded.fell, bench.loaded.decided) == (None, 7)
    assert not bench.loaded.cuts_in_force
    bench.children.acting.falling = "signal 9"
    assert bench.loaded.fell is not None
    assert "signal 9" in bench.loaded.fell.words


def test_who_vouches_for_a_loaded_candidate_is_heard_without_a_restart(tmp_path: Path) -> None:
    station = Station(tmp_path)
    guessed = make(tmp_path / "guessed", provenance={"labels": "guessed"})
    station.slots.put(guessed.root, "b")
    place = Place("b", guessed.digest, "bright", "1")
    children: Any = Children()
    around = Surroundings(station.seating.at, lambda why: fitted(NOTHING), lambda: 0, lambda: 0)
    loaded = Loaded(children, NOTHING, around)
    loaded.load(place)
    assert loaded.unconfirmed
    assert not loaded.vouched
    (station.slots.path("b") / "confirmed.json").write_text("for another one")
    assert loaded.vouched
    loaded.calibrate(place)
    assert loaded.unconfirmed
    assert not loaded.vouched  # looked at, and not again before it changes
    confirm(load(station.slots.path("b")), "anna", "2026-01-01T00:00:00Z")
    assert loaded.vouched
    loaded.calibrate(place)
    assert not loaded.unconfirmed
    assert not loaded.vouched
