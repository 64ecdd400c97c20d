"""The slow steps themselves, without a process around them."""

from __future__ import annotations

import errno
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge.calibrating.pictures import read_labelled
from edge.calibrations import find
from edge.config import Config
from edge.decision.evidence import Samples
from edge.rollout import pinned, work
from edge.rollout.outcome import Calibrated, Installed, Proved
from edge.rollout.pinned import Pinned, of_folder
from edge.rollout.recalibrating import exchanged
from edge.standards import Standards
from edge.store.encoding import encode
from inference.bundle import Bundle, load
from inference.prediction import Prediction
from inference.slots import Slots
from inference.worker import Worker
from tests.edge.rollout.places import config, dataset
from tests.inference.bundles import make as make_bundle
from tests.simulators import poisons


def nothing(done: int, of: int) -> None:
    pass


@pytest.fixture
def here(tmp_path: Path) -> Config:
    return config(tmp_path)


@pytest.fixture
def new(tmp_path: Path) -> Bundle:
    return make_bundle(tmp_path / "new", "float32", version="1.3.0")


def pin(here: Config, data: Path, view: str | None = None) -> Pinned:
    standards = Standards(here, load(Path(here.model.bundle)))
    seen = {"roi": None, "camera.path": "line"}
    about = Pinned(Path(), "c1", view or standards.view, "2026-11-20T12:00:00Z", "anna", seen=seen)
    return pinned.pin(here.state_dir, of_folder(data), about, 10**9)


def calibrate(here: Config, bundle: Bundle, **more: object) -> Calibrated:
    result = work.do("calibrate", here, {"bundle": str(bundle.root), **more}, nothing)
    assert isinstance(result, Calibrated)
    return result


def test_a_bundle_is_put_into_its_slot(here: Config, new: Bundle) -> None:
    given = {"source": str(new.root), "slot": "b", "digest": new.digest}
    result = work.do("install", here, given, nothing)
    assert result == Installed(
        True, slot="b", digest=new.digest, name="bright", version="1.3.0", guessed=()
    )
    found = Slots(here.state_dir / "slots").read("b")
    assert found is not None
    assert found.digest == new.digest


def test_what_is_guessed_is_told(here: Config, tmp_path: Path) -> None:
    guessed = make_bundle(tmp_path / "guessed", provenance={"colour": "guessed"})
    result = work.do("install", here, {"source": str(guessed.root), "slot": "a"}, nothing)
    assert isinstance(result, Installed)
    assert result.guessed == ("colour",)


def test_another_bundle_than_was_announced_is_refused(here: Config, new: Bundle) -> None:
    given = {"source": str(new.root), "slot": "b", "digest": "0" * 64}
    result = work.do("install", here, given, nothing)
    assert (result.ok, result.code, result.again) == (False, "unusable", False)
    assert not Slots(here.state_dir / "slots").path("b").exists()


def test_a_bundle_for_a_later_version_is_too_new(here: Config, tmp_path: Path) -> None:
    later = make_bundle(tmp_path / "later", minimum_app_version="999.0.0")
    result = work.do("install", here, {"source": str(later.root), "slot": "a"}, nothing)
    assert result.code == "too_new"


def test_a_path_that_leads_elsewhere_is_refused(here: Config, new: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "new.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in new.root.rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(new.root))
        archive.writestr("golden/../../../outside", b"x")
    result = work.do("install", here, {"source": str(path), "slot": "a"}, nothing)
    assert (result.code, result.again) == ("unusable", False)
    assert "leads out of it" in (result.why or "")
    assert not list(tmp_path.rglob("outside"))


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "no_space"), (errno.EIO, "task_failed")]
)
def test_a_disk_in_trouble_is_not_the_bundles_fault(
    here: Config, new: Bundle, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def trouble(folder: Path, files: object) -> None:
        raise OSError(number, "trouble")

    monkeypatch.setattr("inference.slots.write_folder", trouble)
    result = work.do("install", here, {"source": str(new.root), "slot": "a"}, nothing)
    assert (result.ok, result.code, result.again) == (False, code, True)


def test_proving_uses_this_stations_limits(here: Config, new: Bundle) -> None:
    result = work.do("prove", here, {"bundle": str(new.root)}, nothing)
    assert isinstance(result, Proved)
    assert result.ok
    assert result.proof["notes"][0]["code"] == "no_golden"
    strict = here.model_copy(update={"model": here.model.model_copy(update={"deadline_ms": 1e-6})})
    assert work.do("prove", strict, {"bundle": str(new.root)}, nothing).code == "too_slow"


@pytest.mark.parametrize(("how", "again"), [(signal.SIGKILL, True), (signal.SIGSEGV, False)])
def test_a_proof_that_somebody_else_ended_is_made_again(
    here: Config, new: Bundle, monkeypatch: pytest.MonkeyPatch, how: signal.Signals, again: bool
) -> None:
    class Struck(Worker):
        def predict(self, *given: Any) -> Prediction:
            assert self.pid is not None
            os.kill(self.pid, how)
            return super().predict(*given)

    monkeypatch.setattr("inference.proof.Worker", Struck)
    result = work.do("prove", here, {"bundle": str(new.root)}, nothing)
    assert isinstance(result, Proved)
    assert (result.ok, result.code, result.again) == (False, "died", again)


def test_proving_looks_at_the_bundle_in_force(here: Config, tmp_path: Path) -> None:
    swapped = poisons.bundle(tmp_path, "wrong_labels")
    given = {"bundle": str(swapped.root), "active": here.model.bundle}
    result = work.do("prove", here, given, nothing)
    assert (result.ok, result.code) == (False, "wrong_labels")


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_it_may_take_the_place_of_one_that_nobody_can_read(
    here: Config, new: Bundle, how: str
) -> None:
    model = Path(here.model.bundle) / "model.tflite"
    model.unlink() if how == "gone" else model.write_bytes(b"rotten")
    given = {"bundle": str(new.root), "active": here.model.bundle}
    assert work.do("prove", here, given, nothing).ok


def test_a_bundle_that_is_gone_is_unusable(here: Config) -> None:
    assert work.do("prove", here, {"bundle": "/nowhere"}, nothing).code == "unusable"


def test_a_candidate_gets_cuts_of_its_own(here: Config, new: Bundle, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"))
    heard: list[tuple[int, int]] = []
    given = {"bundle": str(new.root), "said": True, "by": "rollout", "reason": "r1"}
    result = work.do("calibrate", here, given, lambda *told: heard.append(told))
    assert isinstance(result, Calibrated)
    assert result.ok, result
    assert result.calibration is not None
    made, _ = find([here.state_dir / "calibrations"], result.calibration)
    assert made.binding == Standards(here, new).binding
    assert made.content["by"] == "rollout"
    assert made.content["certified"] is True
    assert made.content["escape"]["target"] == 0.2  # type: ignore[index]
    assert heard[-1] == (60, 60)


def test_the_targets_are_those_in_force(here: Config, new: Bundle, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"))
    first = calibrate(here, new, said=True)
    path = here.state_dir / "calibrations" / f"{first.calibration}.json"
    text = path.read_text().replace('"target": 0.2', '"target": 0.3')
    path.write_text(text.replace('"confidence": 0.9', '"confidence": 0.8'))
    again = calibrate(here, new, said=True, like=first.calibration)
    assert again.content["escape"]["target"] == 0.3
    assert again.content["confidence"] == 0.8
    assert calibrate(here, new, said=True, like="no-such-one").content["confidence"] == 0.9


def test_without_pinned_pictures_it_says_what_is_missing(here: Config, new: Bundle) -> None:
    result = calibrate(here, new, said=True)
    assert (result.ok, result.code) == (False, "no_pictures")
    assert result.needed is not None
    assert result.needed["good"] > 0
    assert "edge-inspect calibrate" in (result.why or "")


def test_pictures_of_another_view_are_not_used(here: Config, new: Bundle, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"), view="another")
    result = calibrate(here, new, said=True)
    assert (result.ok, result.code) == (False, "other_view")
    assert "another view" in (result.why or "")
    assert result.needed is not None


def test_too_few_says_how_many_are_missing(here: Config, new: Bundle, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data", 30, 5))
    result = calibrate(here, new, said=True)
    assert (result.ok, result.code, result.calibration) == (False, "too_few", None)
    assert result.needed is not None
    assert result.needed["good"] == 0
    assert result.needed["defect"] > 0
    assert "more defects are needed" in (result.why or "")


def test_nobody_vouching_is_not_certified(here: Config, new: Bundle, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"))
    result = calibrate(here, new)
    assert (result.ok, result.code) == (False, "uncertified")
    assert "--not-trained-on-these" in (result.why or "")


def test_pictures_that_lost_something_certify_nothing(
    here: Config, new: Bundle, tmp_path: Path
) -> None:
    data = dataset(tmp_path / "data")
    image = cv2.imread(str(next((data / "good").rglob("*.png"))))
    (data / "good" / "stored.jpg").write_bytes(encode(image.astype("uint8") + 1))
    pin(here, data)
    result = calibrate(here, new, said=True)
    assert (result.ok, result.code) == (False, "uncertified")
    assert "storage.encoding" in (result.why or "")


def test_pictures_that_it_learnt_from_are_refused(here: Config, tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    pin(here, data)
    one = next(data.rglob("*.png"))
    learnt = [read_labelled(data, one)[0].shot.sha256]
    cheat = make_bundle(tmp_path / "cheat", lineage={"training_pictures": learnt})
    result = calibrate(here, cheat, said=True)
    assert (result.ok, result.code) == (False, "trained_on_these")


def test_exchanged_labels_show_on_the_stations_own_pictures(here: Config, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"))
    result = calibrate(here, poisons.bundle(tmp_path, "wrong_labels"), said=True)
    assert (result.ok, result.code) == (False, "wrong_labels")
    assert "in 30 of 30 pairs" in (result.why or "")


def test_a_constant_score_decides_nothing(here: Config, tmp_path: Path) -> None:
    pin(here, dataset(tmp_path / "data"))
    result = calibrate(here, poisons.bundle(tmp_path, "constant"), said=True)
    assert result.content["automation"]["good"] == 0
    assert result.content["automation"]["defect"] == 0


@pytest.mark.parametrize("frame", [10, 1])
def test_a_model_that_dies_on_the_way_is_named(here: Config, tmp_path: Path, frame: int) -> None:
    pin(here, dataset(tmp_path / "data"))
    result = calibrate(here, poisons.bundle(tmp_path, "crash_on_frame", frame=frame), said=True)
    assert (result.ok, result.code) == (False, "died")
    assert "SIGFPE" in (result.why or "")


def samples(good: list[float], defect: list[float]) -> Samples:
    rows = [(score, False, None, f"{n:064x}", None) for n, score in enumerate(good)]
    rows += [(score, True, None, f"{n + 999:064x}", None) for n, score in enumerate(defect)]
    return Samples.of(rows, [None] * len(rows))


def test_upside_down_needs_proof() -> None:
    assert exchanged(samples([0.9] * 20, [0.1] * 20)) is not None
    assert exchanged(samples([0.9] * 19, [0.1] * 19)) is None  # chance: one in half a million
    assert exchanged(samples([0.1] * 50, [0.9] * 50)) is None
    assert exchanged(samples([0.5] * 50, [0.5] * 50)) is None
    assert exchanged(samples([], [])) is None
