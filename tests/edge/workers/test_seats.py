"""Who decides the next part: drawn before anything about it is known, waiting for nobody."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from camera.familiar import Familiar, learn
from camera.quality import measure
from edge.inspection import Ruling, Setup
from edge.records import Cuts, Inspection
from edge.workers.inspect import Seen
from edge.workers.seats import Canary, Seat, Seats
from inference.prediction import ModelFault, Prediction
from tests.edge.workers.parts import ORIGIN, FakeClock, frame
from tests.edge.workers.test_inspect import SETUP, SURE, Bench, Model, frames

NEW = Setup(ORIGIN, "v" * 64, {"name": "new"}, "litert")
CUTS = Cuts(0.2, 0.8, calibration="cal-new")


class Busy(Model):
    """Owes an answer."""

    @property
    def free(self) -> bool:
        return False


def with_canary(bench: Bench, share: float, model: Model) -> Bench:
    seat = Seat(NEW, Ruling("partial", CUTS), model, "n")
    bench.desk.seats = replace(bench.desk.seats, canary=Canary(seat, share))
    return bench


def test_a_canary_gets_its_share_and_its_parts_are_its_own() -> None:
    chances = random.Random(7)
    bench = Bench(*frames(900), model=Model(SURE), room=1000, weight=1 << 40)
    with_canary(bench, 0.25, Model(Prediction(0.15, "good", {})))
    bench.clock.chance = chances.random  # type: ignore[method-assign]
    made = [entry.records[0] for entry in bench.run()]
    inspections = [one for one in made if isinstance(one, Inspection)]
    drawn = [one for one in inspections if "canary" in one.tags]
    assert 170 < len(drawn) < 280
    assert bench.inspector.answered == 900 - len(drawn)
    for one in inspections:
        new = "canary" in one.tags
        told = (one.model, one.score, one.cuts, one.decision)
        assert told == (
            (NEW.model, 0.15, CUTS, "accept") if new
            else (SETUP.model, 0.0, Cuts(0.1, 0.9), "accept")
        )  # fmt: skip
    assert {one.tags["canary"] for one in drawn} == {"0.25"}


def test_the_draw_is_made_before_anything_about_the_part_is_known() -> None:
    happened: list[str] = []

    class Told(Model):
        def predict(self, image: object, meanwhile: object = None) -> Prediction:
            happened.append("asked")
            return SURE

    bench = with_canary(Bench(*frames(1), model=Told(SURE)), 0.5, Told(SURE))

    def chance() -> float:
        happened.append("drawn")
        return 0.9

    bench.clock.chance = chance  # type: ignore[method-assign]
    bench.inspector.step()
    assert happened[0] == "drawn"
    assert happened.count("asked") == 1


@pytest.mark.parametrize("model", [Model(SURE, away=99), Busy(SURE)])
@pytest.mark.parametrize("live", [True, False])
def test_a_canary_that_is_away_or_busy_gets_no_part_and_nobody_waits(
    model: Model, live: bool
) -> None:
    bench = with_canary(Bench(*frames(3), model=Model(SURE), live=live), 1.0, model)
    entries = bench.run()
    assert [entry.records[0].content()["model"] for entry in entries] == [SETUP.model] * 3
    assert model.waits == 0


def test_a_canary_that_fails_costs_its_own_part_and_no_other() -> None:
    bench = Bench(*frames(4), model=Model(SURE), live=True)
    with_canary(bench, 0.5, Model(ModelFault("died", "x")))
    bench.inspector.step()
    bench.clock.draw = 0.1
    bench.inspector.step()
    bench.clock.draw = 0.5
    made = [entry.records[0] for entry in bench.run()]
    told = [(one.decision, one.fault) for one in made if isinstance(one, Inspection)]
    assert told.count(("escalate", "died")) == 1
    assert told.count(("accept", None)) == 3


def test_a_share_of_nothing_is_nothing_and_of_everything_is_everything() -> None:
    seats = Seats(Seat(SETUP, Ruling("partial"), Model(SURE)))
    canary = Seat(NEW, Ruling("partial"), Model(SURE))
    for share, chance, wanted in [(0.0, 0.0, seats.active), (1.0, 0.999999, canary)]:
        chosen, told = replace(seats, canary=Canary(canary, share)).choose(lambda at=chance: at)
        assert chosen is wanted
        assert told == (None if wanted is seats.active else 1.0)


def test_a_tag_of_that_name_that_came_with_the_part_is_not_believed() -> None:
    bench = Bench(frame(FakeClock(), tags={"canary": "1", "batch": "7"}), model=Model(SURE))
    (entry,) = bench.run()
    assert entry.records[0].content()["tags"] == {"batch": "7"}


def test_rulings_change_and_models_stay() -> None:
    canary = Canary(Seat(NEW, Ruling("partial"), Model(SURE)), 0.1)
    seats = Seats(Seat(SETUP, Ruling("partial"), Model(SURE)), canary)
    ruled = seats.under(Ruling("assist"), Ruling("shadow"))
    assert (ruled.active.ruling.degree, ruled.active.model) == ("assist", seats.active.model)
    assert ruled.canary is not None
    assert (ruled.canary.seat.ruling.degree, ruled.canary.share) == ("shadow", 0.1)
    assert seats.under(Ruling("assist")).canary is None


class Aside:
    """Looks at parts that are over."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.seen: list[Seen] = []
        self.passed_on: list[int] = []

    def offer(self, seen: Any) -> None:
        self.seen.append(seen)
        self.passed_on.append(len(self.bench.entries))


def test_a_part_is_offered_when_it_is_over_and_passed_on() -> None:
    bench = Bench(*frames(2), model=Model(SURE))
    aside = Aside(bench)
    bench.desk.beside = aside
    bench.run()
    assert aside.passed_on == [1, 2]
    assert [seen.frame.number for seen in aside.seen] == [1, 2]
    assert all(seen.seat is bench.desk.seats.active and seen.kept for seen in aside.seen)
    assert all(seen.run_ms == Model.run_ms for seen in aside.seen)


def test_a_picture_that_is_not_kept_is_said_so() -> None:
    bench = Bench(*frames(1), model=Model(SURE), wanted=False)
    bench.desk.beside = aside = Aside(bench)
    bench.run()
    assert [seen.kept for seen in aside.seen] == [False]


def familiar(seed: int = 1) -> Familiar:
    pictures = np.random.default_rng(seed).integers(0, 255, (30, 40, 60, 3)).astype(np.uint8)
    return learn([measure(picture) for picture in pictures])


def test_seats_are_replaced_when_anything_differs_and_only_then() -> None:
    bench = Bench(model=Model(SURE))
    range_, cuts = familiar(), Cuts(0.1, 0.9)
    model, other = Model(SURE), Model(SURE)
    seat = Seat(SETUP, Ruling("partial", cuts, range_), model, "n")
    bench.desk.sit(first := Seats(seat, Canary(seat, 0.1)))
    assert bench.desk.seats is first
    bench.desk.sit(Seats(replace(seat), Canary(replace(seat), 0.1)))
    assert bench.desk.seats is first
    for changed in (
        replace(seat, ruling=Ruling("partial", cuts, familiar())),
        replace(seat, ruling=Ruling("assist", cuts, range_)),
        replace(seat, ruling=Ruling("partial", Cuts(0.1, 0.8), range_)),
        replace(seat, ruling=Ruling("partial", cuts, range_, ask_all=False)),
        replace(seat, model=other),
        replace(seat, setup=NEW),
        replace(seat, digest="m"),
    ):
        for seats in (Seats(changed, Canary(seat, 0.1)), Seats(seat, Canary(changed, 0.1))):
            bench.desk.sit(first)
            bench.desk.sit(seats)
            assert bench.desk.seats is seats
    for seats in (Seats(seat), Seats(seat, Canary(seat, 0.2))):
        bench.desk.sit(first)
        bench.desk.sit(seats)
        assert bench.desk.seats is seats
