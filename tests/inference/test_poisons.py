"""Models that misbehave, proved: each by name, and nothing of ours dies with them."""

from __future__ import annotations

import os
import signal

import cv2
import pytest

from inference import bundle as bundles
from inference import proof, timing, worker
from inference.child import Child
from inference.prediction import NoPrediction
from inference.proof import Limits, prove
from inference.timing import Timing
from inference.worker import Worker
from tests.inference.bundles import BRIGHT_PICTURE, DARK_PICTURE, make, manifest
from tests.simulators import poisons
from tests.simulators.tflite import bright_is_good, metadata, with_files


def codes(found):
    return [failure.code for failure in found.failures]


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("crash_on_load", "died", "SIGSEGV"),
        ("hang", "hung", "no answer for 2000 ms"),
        ("nan", "nonsense", "not probabilities"),
        ("wrong_shape", "does_not_fit", "(1, 3)"),
        ("memory", "too_large", "more memory than it may have"),
    ],
)
def test_what_misbehaves_at_once_is_refused_by_name(tmp_path, kind, code, words):
    found = prove(poisons.bundle(tmp_path, kind))
    assert codes(found) == [code]
    assert words in found.failures[0].text


def test_ten_times_slower_than_the_deadline(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "SLOW_RUNS_S", 0.2)
    slow = poisons.bundle(tmp_path, "slow", rounds=300)
    found = prove(slow, Limits(latency_ms=prove(slow).latency_ms / 10))
    assert codes(found) == ["too_slow"]
    assert "limit" in found.failures[0].text


def test_a_model_that_hangs_while_it_loads_is_not_waited_for(tmp_path, monkeypatch):
    spawn = Child._spawn

    def stopped(self, *arguments):
        process = spawn(self, *arguments)
        os.kill(process.pid, signal.SIGSTOP)
        return process

    monkeypatch.setattr(Child, "_spawn", stopped)
    found = prove(make(tmp_path), Limits(load_s=0.2))
    assert codes(found) == ["hung"]
    assert "did not load within" in found.failures[0].text


@pytest.mark.parametrize("kind", ["crash_on_frame", "hang_on_frame", "constant", "wrong_labels"])
def test_what_misbehaves_later_passes_and_is_for_the_guards(tmp_path, kind):
    assert prove(poisons.bundle(tmp_path, kind)).ok


@pytest.mark.parametrize(("kind", "code"), [("crash_on_frame", "died"), ("hang_on_frame", "hung")])
def test_it_misbehaves_at_the_frame_that_was_asked_for(tmp_path, monkeypatch, kind, code):
    monkeypatch.setattr(worker, "HANG_MS", 300.0)
    model = Worker(poisons.bundle(tmp_path, kind, frame=100))
    model.start()
    try:
        assert model.wait_ready(30)
        for _ in range(99):
            assert model.predict(BRIGHT_PICTURE).score < 0.01
        with pytest.raises(NoPrediction) as caught:
            model.predict(BRIGHT_PICTURE)
        assert caught.value.code == code
    finally:
        model.close()


def test_a_golden_set_unmasks_exchanged_labels(tmp_path):
    poison = poisons.bundle(tmp_path, "wrong_labels")
    pictures = {"dark.png": (cv2.imencode(".png", DARK_PICTURE)[1].tobytes(), 1.0)}
    golden = bundles.write(tmp_path / "g", poison.manifest, poison.model, pictures)
    assert codes(prove(golden)) == ["golden_differs"]


def test_so_does_the_bundle_in_force(tmp_path):
    good = make(tmp_path, "float32")
    found = prove(poisons.bundle(tmp_path, "wrong_labels"), beside=good)
    assert set(codes(found)) == {"wrong_labels"}
    assert "in force" in found.failures[0].text
    assert prove(poisons.bundle(tmp_path, "constant"), beside=good).ok


def test_so_does_the_model_file_itself(tmp_path):
    model = with_files(
        bright_is_good("int8", metadata=metadata("labels.txt")), {"labels.txt": "defect\ngood\n"}
    )
    found = prove(bundles.write(tmp_path / "b", manifest(), model))
    assert codes(found) == ["wrong_labels"]
    assert "in another order" in found.failures[0].text


def test_an_empty_golden_set_is_said(tmp_path):
    found = prove(make(tmp_path, provenance={"colour": "guessed"}))
    assert found.ok
    assert [note.code for note in found.notes] == ["no_golden", "unconfirmed"]
    assert "nobody can say" in found.as_json()["notes"][0]["text"]


def test_progress_is_told(tmp_path):
    heard = []
    prove(make(tmp_path), tell=lambda done, of: heard.append((done, of)))
    assert heard[-1] == (23, 23)
    assert [done for done, _ in heard] == list(range(1, 24))


@pytest.mark.parametrize("rounds", [(1000.0, 1.0), (1000.0, 1000.0, 1000.0)])
def test_a_machine_that_is_busy_refuses_nothing(tmp_path, monkeypatch, rounds):
    """A moment, or all of the time: the processor was hardly at work for it."""
    medians = iter(rounds)
    monkeypatch.setattr(
        proof, "time_runs", lambda *_: Timing(next(medians), slowest_ms=2000.0, cpu_ms=1.0)
    )
    found = prove(make(tmp_path), Limits(latency_ms=500))
    assert found.ok
    busy = [note for note in found.notes if note.code == "busy_machine"]
    assert bool(busy) is (len(rounds) == 3)


def test_where_the_kernel_says_nothing_the_clock_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "cpu_ms", lambda pid: float("nan"))
    assert codes(prove(make(tmp_path), Limits(latency_ms=1e-6))) == ["too_slow"]
