from __future__ import annotations

from dataclasses import replace

import cv2
import pytest

from inference.bundle import write
from inference.interpreter import runtime_name
from inference.proof import Limits, decode, prove
from tests.inference.bundles import BRIGHT_PICTURE, DARK_PICTURE, make, manifest
from tests.simulators.tflite import bright_is_good, nonsense, passing


def png(image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def golden(tmp_path, bright_score: float = 0.0, picture: bytes = png(BRIGHT_PICTURE)):
    pictures = {"bright.png": (picture, bright_score), "dark.png": (png(DARK_PICTURE), 1.0)}
    return write(tmp_path / "g", manifest(), bright_is_good("int8"), pictures, tolerance=0.01)


def codes(proof):
    return [failure.code for failure in proof.failures]


def test_a_good_bundle_is_proved(tmp_path):
    bundle = golden(tmp_path)
    proof = prove(bundle)
    assert proof.ok
    assert proof.digest == bundle.digest
    assert proof.runtime == runtime_name()
    assert proof.golden == 2
    assert proof.golden_worst <= 0.01
    assert 0 < proof.latency_ms <= proof.slowest_ms
    assert proof.memory_mb > 1
    assert proof.as_json()["ok"] is True


def test_other_scores_than_expected_are_named(tmp_path):
    proof = prove(golden(tmp_path, 0.5))
    assert codes(proof) == ["golden_differs"]
    assert "bright.png" in proof.failures[0].text
    assert proof.golden_worst == pytest.approx(0.5, abs=0.02)


def test_golden_pictures_that_cannot_be_read_are_named(tmp_path):
    bundle = golden(tmp_path, picture=b"text")
    (bundle.root / "golden/dark.png").unlink()
    assert codes(prove(bundle)) == ["golden_unreadable", "golden_unreadable"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (b"text", "does_not_load"),
        (passing((1, 8, 8, 3), (1, 2), operator="no-such-op"), "does_not_load"),
        (bright_is_good("uint8"), "does_not_fit"),
    ],
)
def test_a_model_that_does_not_run_keeps_its_reason(tmp_path, model, code):
    assert codes(prove(make(tmp_path, "int8", model))) == [code]


def test_nonsense_fails(tmp_path):
    assert codes(prove(make(tmp_path, "float32", nonsense()))) == ["nonsense"]


def test_limits_of_speed_and_memory_are_kept(tmp_path):
    proof = prove(golden(tmp_path), Limits(latency_ms=1e-6, memory_mb=1))
    assert codes(proof) == ["too_slow", "too_large"]


def test_the_bundles_own_deadline_counts_where_no_limit_is_given(tmp_path):
    slow = replace(make(tmp_path, deadline_ms=1e-6))
    assert codes(prove(slow)) == ["too_slow"]


def test_a_digest_belongs_to_the_bytes_that_ran(tmp_path):
    bundle = make(tmp_path)
    (bundle.root / "model.tflite").write_bytes(b"changed on disk after loading")
    assert prove(bundle).ok


def test_pictures_are_decoded_as_grey_or_colour():
    assert decode(png(BRIGHT_PICTURE)).shape == (20, 30, 3)
    assert decode(png(BRIGHT_PICTURE[:, :, 0])).shape == (20, 30)
    assert decode(b"") is None
    assert decode(b"text") is None
