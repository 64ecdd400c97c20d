"""From a bundle to all that its answers are judged by, and to its process."""

from __future__ import annotations

import errno
import hashlib
import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge import cameras
from edge.calibrations import write
from edge.records import Cuts, Origin
from edge.rollout.standing import FACTORY, NOTHING, Place
from edge.seating import TWIN_HANG_MS, Seating, Unusable
from inference.bundle import Bundle
from inference.interpreter import runtime_name
from inference.slots import Slots
from inference.worker import HANG_MS, Worker
from tests.appliance.station import config_of, station
from tests.edge.workers.crew import constant
from tests.inference.bundles import make

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.factory, self.sent = constant(folder, "old", 1.0), constant(folder, "new", 1.5)
        settings = station(
            folder,
            {"source": "synthetic"},
            model={"bundle": str(self.factory.root), "deadline_ms": 70},
            rollout={"memory_mb": 300},
            decision={"accept_below": 0.1, "reject_above": 0.9, "automation": "partial"},
        )
        self.config = config_of(settings)
        source = cameras.source(self.config.camera)
        self.view = cameras.view(self.config, source)
        origin = Origin("plant/line/station", "boot", self.config.digest, "1")
        self.seating = Seating(self.config, origin, source, self.view)
        self.slots = Slots(self.config.state_dir / "slots")
        self.slots.put(Path(self.sent.root), "a")
        self.place = Place("a", self.sent.digest, "new", "1.0.0")

    def calibrated(self, bundle: Bundle) -> Place:
        content = {
            "schema": "calibration/1", "id": ID, "bundle": bundle.digest, "certified": True,
            "runtime": runtime_name(), "machine": platform.machine(), "view": self.view,
            "accept_below": 0.2, "reject_above": 0.7,
        }  # fmt: skip
        path = write(self.config.state_dir / "calibrations", content)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return replace(self.place, calibration=ID, calibration_sha256=sha256)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_typed_cuts_are_those_of_the_configured_bundle_only(bench: Bench) -> None:
    ours = bench.seating.fit(bench.factory, FACTORY, {}.get)  # type: ignore[arg-type]
    assert ours.basis.cuts == Cuts(0.1, 0.9, certified=False)
    theirs = bench.seating.at(bench.place)
    assert theirs.basis.cuts is None
    assert "new 1.0.0 has no calibration" in (theirs.basis.no_cuts or "")


def test_a_place_has_its_own_setup_and_its_own_calibration(bench: Bench) -> None:
    fitted = bench.seating.at(bench.calibrated(bench.sent))
    assert fitted.setup.model == bench.sent.as_record()
    assert (fitted.setup.view, fitted.slot, fitted.digest) == (bench.view, "a", bench.sent.digest)
    assert fitted.basis.cuts == Cuts(0.2, 0.7, True, ID)
    assert fitted.basis.ceiling == "partial"
    assert fitted.find(ID).calibration.id == ID


def test_a_calibration_of_another_bundle_or_one_that_was_changed_gives_no_cuts(
    bench: Bench,
) -> None:
    place = bench.calibrated(bench.factory)
    assert bench.seating.at(place).basis.cuts is None
    place = bench.calibrated(bench.sent)
    path = bench.config.state_dir / "calibrations" / f"{ID}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "accept_below": 0.6}))
    assert bench.seating.at(place).basis.cuts is None


def test_a_slot_that_is_empty_damaged_or_another_s_is_no_place(bench: Bench) -> None:
    assert bench.seating.readable(bench.place)
    for place in (
        replace(bench.place, slot="b"),
        replace(bench.place, digest="0" * 64),
    ):
        assert not bench.seating.readable(place)
        with pytest.raises(Unusable):
            bench.seating.at(place)
    model = bench.slots.path("a") / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1])
    assert not bench.seating.readable(bench.place)


def test_nothing_is_a_place_where_persons_decide(bench: Bench) -> None:
    for place in (NOTHING, replace(NOTHING, since=5.0, factory="f" * 64)):
        fitted = bench.seating.at(place)
        assert fitted.bundle is None
        assert fitted.facts.no_model
        assert fitted.digest == ""
    assert bench.seating.without("it is away").facts.no_model == "it is away"


def test_guessed_fields_go_with_the_bundle(bench: Bench, tmp_path: Path) -> None:
    guessed = make(tmp_path / "guessed", provenance={"labels": "guessed"})
    fitted = bench.seating.fit(guessed, "b", {}.get)  # type: ignore[arg-type]
    assert fitted.facts.unconfirmed == ("labels",)
    assert bench.seating.at(bench.place).facts.unconfirmed == ()


def settings_of(worker: Worker) -> tuple[float, float, bool, int | None]:
    return worker.deadline_ms, worker.hang_ms, worker._idle, worker._memory_mb


def test_who_is_only_compared_has_time_and_who_was_sent_has_a_limit(bench: Bench) -> None:
    sent = bench.seating.at(bench.place)
    ours = bench.seating.fit(bench.factory, FACTORY, {}.get)  # type: ignore[arg-type]
    process = bench.seating.process
    assert settings_of(process(sent, False)) == (70.0, HANG_MS, False, 300)
    assert settings_of(process(sent, True)) == (0.0, TWIN_HANG_MS, True, 300)
    assert settings_of(process(ours, False)) == (70.0, HANG_MS, False, None)
    assert settings_of(process(ours, True)) == (0.0, TWIN_HANG_MS, True, None)


def test_a_configured_bundle_that_is_gone_is_unusable_as_any_other(bench: Bench) -> None:
    place = Place(FACTORY, bench.factory.digest, "old", "1.0.0")
    assert bench.seating.folder(FACTORY) == bench.factory.root
    shutil.rmtree(bench.factory.root)
    assert bench.seating.folder(FACTORY) is None
    assert not bench.seating.readable(place)
    with pytest.raises(Unusable, match="no bundle in slot factory"):
        bench.seating.at(place)


@pytest.mark.parametrize("asked", ["exists", "is_dir"])
def test_one_that_nobody_may_look_at_is_unusable_too(
    bench: Bench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path, *more: object, **options: object) -> bool:
        raise PermissionError(errno.EACCES, "forbidden", str(path))

    monkeypatch.setattr(Path, asked, forbidden)
    with pytest.raises(Unusable):
        bench.seating.at(bench.place)
