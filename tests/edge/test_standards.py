"""A calibration belongs to one bundle, runtime, machine and view: change one, and none is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from camera.familiar import learn
from camera.quality import measure
from camera.synthetic import SyntheticSource
from edge import calibrations, checks, standards
from edge.asking import ask_line
from edge.clock import Clock
from edge.requests import Refused
from edge.standards import Standards
from edge.wiring import build
from inference import bundle
from inference.spec import Label
from tests.appliance.station import config_of, station
from tests.inference import bundles

CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "limit": 3}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A station with a calibration in force."""
    path = station(tmp_path, CAMERA, decision={"automation": "partial"})
    apply(path, make(path))
    return path


def make(path: Path, **changed: Any) -> str:
    """A calibration for the station as it is; its id."""
    here = of(path)
    content = {
        "schema": calibrations.SCHEMA,
        "id": Clock().new_id(),
        **{name: getattr(here.binding, name) for name in calibrations.Binding.__slots__},
        "accept_below": 0.25,
        "reject_above": 0.75,
        "certified": True,
        "made_with": here.made_with,
        **changed,
    }
    calibrations.write(here.folders[0], content)
    return str(content["id"])


def apply(path: Path, calibration: str) -> dict[str, object]:
    arguments = {"calibration": calibration, "reason": "a test"}
    answer = ask_line(config_of(path), "apply_calibration", arguments, "anna")
    assert answer is not None
    return answer


def of(path: Path) -> Standards:
    config = config_of(path)
    return Standards(config, bundle.load(Path(config.model.bundle)))


def with_camera(path: Path, **changed: Any) -> None:
    station(path.parent, {**CAMERA, **changed}, decision={"automation": "partial"})


def with_bundle(path: Path, **changed: Any) -> None:
    folder = path.parent / "bright"
    for old in sorted(folder.rglob("*"), reverse=True):
        old.unlink() if old.is_file() else old.rmdir()
    folder.rmdir()
    bundles.make(path.parent, **changed)


def other_labels() -> dict[str, Any]:
    spec = bundles.spec()
    labels = (Label("good", "good"), Label("scratch", "defect"))
    return {"spec": replace(spec, output=replace(spec.output, labels=labels))}


def other_resize() -> dict[str, Any]:
    spec = bundles.spec()
    return {"spec": replace(spec, input=replace(spec.input, resize="linear"))}


def test_it_is_in_force_and_remembered(settings: Path) -> None:
    choice = of(settings).choose()
    assert choice.calibration is not None
    assert choice.calibration.cuts.accept_below == 0.25
    assert [finding.state for finding in checks.check_calibration(config_of(settings))] == ["ok"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: with_camera(path, roi=[0, 0, 100, 100]), "another view (roi was null, is"),
        (lambda path: with_camera(path, rotate=90), "another view (rotate was 0, is 90)"),
        (lambda path: with_camera(path, width=320), "another view (camera.width was 160, is 320)"),
        (lambda path: with_bundle(path, **other_labels()), "another bundle (labels was"),
        (lambda path: with_bundle(path, **other_resize()), 'resize was "area", is "linear"'),
        (lambda path: with_bundle(path, version="1.2.4"), 'bundle was "bright 1.2.3", is "bright'),
    ],
)
def test_another_view_label_map_or_resize_method_leaves_none(
    settings: Path, change: Any, said: str
) -> None:
    change(settings)
    choice = of(settings).choose()
    assert choice.calibration is None
    assert said in choice.why
    (finding,) = checks.check_calibration(config_of(settings))
    assert finding.state == "warn"
    assert said in finding.what


@pytest.mark.parametrize("name", ["runtime", "machine"])
def test_another_runtime_or_machine_leaves_none(
    settings: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "runtime":
        monkeypatch.setattr(standards, "runtime_name", lambda: "litert 9.9")
    else:
        monkeypatch.setattr(standards.platform, "machine", lambda: "riscv64")
    choice = of(settings).choose()
    assert choice.calibration is None
    assert f"another {name} ({name} was" in choice.why


def test_another_exposure_leaves_none(tmp_path: Path) -> None:
    camera = {"source": "v4l2", "device": "/dev/v4l/by-id/x", "controls": {"exposure": 5000}}
    path = station(tmp_path, camera, decision={"automation": "partial"})
    apply(path, make(path))
    assert of(path).choose().calibration is not None
    camera["controls"] = {"exposure": 5001}
    station(tmp_path, camera, decision={"automation": "partial"})
    choice = of(path).choose()
    assert choice.calibration is None
    assert "exposure was 5000, is 5001" in choice.why


def test_the_line_then_holds_shadow_and_its_status_says_why(settings: Path) -> None:
    with_camera(settings, rotate=180)
    line = build(config_of(settings), most=2)
    assert line.run() == 0
    limits = line._appliance.tender._tended.ruler.limits
    assert [limit.name for limit in limits] == ["no_calibration"]
    assert "rotate was 0, is 180" in limits[0].reason
    assert line._appliance.tender._tended.ruler.now.degree == "shadow"


def test_one_that_does_not_fit_is_not_applied(settings: Path) -> None:
    before = of(settings).choose().calibration
    answer = apply(settings, make(settings, view="w" * 64))
    assert not answer["ok"]
    assert "another view" in str(answer["message"])
    assert not apply(settings, "01890a5d-ac96-774b-bcce-b302099a8099")["ok"]
    assert not apply(settings, "../../etc/passwd")["ok"]
    after = of(settings).choose().calibration
    assert before is not None
    assert after is not None
    assert before.id == after.id


def test_where_cuts_are_typed_by_hand_none_can_be_applied(settings: Path) -> None:
    cuts = {"accept_below": 0.1, "reject_above": 0.9}
    station(settings.parent, CAMERA, decision={"automation": "partial", **cuts})
    with pytest.raises(Refused, match="typed by hand"):
        of(settings).applicable(make(settings))
    basis = of(settings).basis(of(settings).choose())
    assert basis.cuts is not None
    assert not basis.cuts.certified


def test_the_familiar_range_comes_with_the_calibration(settings: Path) -> None:
    source = SyntheticSource(seed=4, width=160, height=120, limit=30)
    source.open()
    frames = [source.read() for _ in range(30)]
    images = [frame.image for frame in frames if frame is not None and frame.image is not None]
    apply(settings, make(settings, familiar=learn(measure(image) for image in images).as_json()))
    basis = of(settings).basis(of(settings).choose())
    assert basis.familiar is not None
    assert basis.familiar.count == 30
