"""One part's journey: whatever picture and model do, a record, and no accept by accident."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.familiar import Familiar, learn
from camera.frame import Doubt, Frame, Image, Roi
from camera.quality import measure
from edge.decision.policy import DEGREES, decide
from edge.inspection import Ruling, Setup, Stopwatch, inspect, overrun, shown
from edge.records import Cuts, Inspection, Origin
from inference.prediction import Late, ModelFault, NoPrediction, Prediction
from sync.chain import body

ORIGIN = Origin("plant-a/line-3/caps", "boot-1", "c" * 64, "0.1.0")
MODEL = {"name": "bright", "version": "1.0.0", "bundle": "b" * 64}
SETUP = Setup(ORIGIN, "v" * 64, MODEL, "litert 2.0")
CUTS = Cuts(0.1, 0.9, calibration="cal-1")
PARTIAL = Ruling("partial", CUTS)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
GREY = np.full((40, 60, 3), 120, np.uint8)
GREY[10:20] = 90

KEYS = {
    "schema", "id", "station", "part_id", "captured_at", "monotonic_ns", "boot_id", "clock_synced",
    "model", "runtime", "calibration", "cuts", "score", "label", "scores", "automation", "decision",
    "reason", "would_be", "doubts", "asked", "spot_check", "latency_ms", "image", "view", "config",
    "software", "tags", "truth",
}  # fmt: skip
"""The inspection of section 4 without its place in the chain (stream, epoch, seq)."""
NOW_AND_THEN = {"image_missing", "fault"}


class Script:
    """A model that says what it is told to, and remembers the pictures it saw."""

    def __init__(self, answer: Prediction | NoPrediction) -> None:
        self.answer = answer
        self.seen: list[Image] = []

    def predict(self, image: Image, meanwhile: object = None) -> Prediction:
        self.seen.append(image)
        if isinstance(self.answer, NoPrediction):
            raise self.answer
        return self.answer


def says(score: float, scores: Mapping[str, float] | None = None, other: bool = False) -> Script:
    return Script(Prediction(score, "good", scores or {"good": 1 - score, "defect": score}, other))


def frame(image: Image | None = GREY, **more: Any) -> Frame:
    return Frame(image, monotonic_ns=1_000, captured_at=1_795_000_000.123, number=1, **more)


def run(
    given_frame: Frame,
    model: Script | None,
    ruling: Ruling = PARTIAL,
    setup: Setup = SETUP,
    more: tuple[Doubt, ...] = (),
) -> Inspection:
    ticks = iter(range(2_000, 100_000, 1_000))
    watch = Stopwatch(lambda: next(ticks), next(ticks))
    return inspect(
        given_frame, setup, ruling, model, watch, new_id=ID, clock_synced=True, more_doubts=more
    )


def names(inspection: Inspection) -> list[object]:
    return [doubt["name"] for doubt in inspection.doubts]


def test_a_sure_part_is_decided_and_everything_about_it_is_recorded() -> None:
    made = run(
        frame(part_id="p-1", truth="defect/dent", tags={"file": "a.jpg"}), says(0.03125)
    ).content()
    assert made == {
        "schema": "inspection/1",
        "id": ID,
        "station": "plant-a/line-3/caps",
        "part_id": "p-1",
        "captured_at": "2026-11-18T11:06:40.123Z",
        "monotonic_ns": 1_000,
        "boot_id": "boot-1",
        "clock_synced": True,
        "model": MODEL,
        "runtime": "litert 2.0",
        "calibration": "cal-1",
        "cuts": {"accept_below": 0.1, "reject_above": 0.9},
        "score": 0.03125,
        "label": "good",
        "scores": {"good": 0.96875, "defect": 0.03125},
        "automation": "partial",
        "decision": "accept",
        "reason": "confident",
        "would_be": "accept",
        "doubts": (),
        "asked": False,
        "spot_check": None,
        "latency_ms": {"wait": 0.001, "quality": 0.001, "inference": 0.001, "total": 0.006},
        "image": None,
        "view": "v" * 64,
        "config": "c" * 64,
        "software": "0.1.0",
        "tags": {"file": "a.jpg"},
        "truth": "defect/dent",
    }
    assert set(made) == KEYS


def test_cuts_typed_by_hand_are_said_to_be_uncertified_in_the_record() -> None:
    made = run(frame(), says(0.0), Ruling("partial", Cuts(0.1, 0.9, certified=False)))
    assert made.content()["cuts"] == {
        "accept_below": 0.1, "reject_above": 0.9, "certified": False
    }  # fmt: skip
    assert made.content()["calibration"] is None


@pytest.mark.parametrize(
    ("trouble", "reason", "fault"),
    [
        (Late("late"), "late", None),
        (ModelFault("died", "x"), "fault", "died"),
        (ModelFault("hung", "x"), "fault", "hung"),
        (ModelFault("not_ready", "x"), "fault", "not_ready"),
        (ModelFault("nonsense", "x"), "fault", "nonsense"),
        (NoPrediction("x"), "fault", "fault"),
    ],
)
def test_without_an_answer_the_part_goes_to_a_person_and_the_record_has_no_prediction(
    trouble: NoPrediction, reason: str, fault: str | None
) -> None:
    made = run(frame(), Script(trouble))
    assert (made.decision, made.reason, made.fault) == ("escalate", reason, fault)
    assert made.asked
    assert (made.model, made.runtime, made.score, made.label, made.scores) == (None,) * 5


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.001, 1.001, 7.0])
def test_a_score_that_is_no_probability_is_a_fault_and_not_recorded(score: float) -> None:
    made = run(frame(), says(score, {"good": 0.5}))
    assert (made.decision, made.reason, made.fault) == ("escalate", "fault", "nonsense")
    assert made.score is None


def test_a_probability_of_a_label_that_is_no_number_is_a_fault_too() -> None:
    made = run(frame(), says(0.0, {"good": 1.0, "dent": math.nan}))
    assert (made.decision, made.fault, made.scores) == ("escalate", "nonsense", None)


def test_not_a_part_is_a_doubt() -> None:
    made = run(frame(), says(0.0, other=True))
    assert (made.decision, made.reason, names(made)) == ("escalate", "doubt", ["not_a_part"])
    assert made.would_be == "accept"


def test_the_model_still_runs_on_a_doubtful_picture() -> None:
    model = says(0.0)
    made = run(frame(np.zeros((40, 60, 3), np.uint8), doubts=(Doubt("spliced"),)), model)
    assert names(made) == ["spliced", "black"]
    assert (made.decision, made.score, len(model.seen)) == ("escalate", 0.0, 1)


def test_doubts_about_earlier_frames_escalate() -> None:
    made = run(frame(), says(0.0), more=(Doubt("frozen", 5.0, 5.0),))
    assert (made.decision, names(made)) == ("escalate", ["frozen"])


def test_a_frame_without_a_picture_is_not_shown_to_the_model() -> None:
    model = says(0.0)
    assert names(run(frame(None), model)) == ["no_picture"]
    assert names(run(frame(None, doubts=(Doubt("damaged"),)), model)) == ["damaged"]
    assert model.seen == []


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((40, 61, 3), "wrong_size"),
        ((60, 40, 3), "wrong_size"),
        ((40, 60), None),
        ((40, 60, 1), "wrong_channels"),
        ((40, 60, 4), "wrong_channels"),
        ((0, 60, 3), "wrong_channels"),
        ((40, 60, 3, 1), "wrong_channels"),
    ],
)
def test_a_picture_of_another_shape_is_not_shown_to_the_model(
    shape: tuple[int, ...], name: str | None
) -> None:
    model = says(0.0)
    made = run(frame(np.full(shape, 120, np.uint8)), model, setup=replace(SETUP, size=(60, 40)))
    assert names(made) == ([] if name is None else [name])
    assert (made.decision, len(model.seen)) == (("accept", 1) if name is None else ("escalate", 0))


def test_the_model_sees_the_region_turned() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[5:15, 20:50] = 200
    picture[5, 20] = (1, 2, 3)
    model = says(0.0)
    run(frame(picture), model, setup=replace(SETUP, roi=Roi(20, 5, 30, 10), rotate=90))
    (seen,) = model.seen
    assert seen.shape == (30, 10, 3)
    assert seen[0, -1].tolist() == [1, 2, 3]
    assert int(seen.min()) == 1


def test_a_region_outside_the_picture_is_a_doubt() -> None:
    made = run(frame(), says(0.0), setup=replace(SETUP, roi=Roi(31, 0, 30, 10)))
    assert names(made) == ["wrong_size"]


def _familiar() -> Familiar:
    random = np.random.default_rng(1)
    return learn(measure(random.integers(60, 180, (64, 64, 3)).astype(np.uint8)) for _ in range(25))


def test_an_unfamiliar_picture_is_doubted() -> None:
    made = run(frame(GREY), says(0.0), replace(PARTIAL, familiar=_familiar()))
    assert (made.decision, names(made)) == ("escalate", ["unfamiliar"])


def test_in_human_only_the_model_is_not_asked() -> None:
    model = says(0.0)
    made = run(frame(), model, Ruling("human_only", CUTS))
    assert (made.decision, made.reason, model.seen) == ("escalate", "automation", [])
    assert made.model is None


def test_without_a_model_no_degree_accepts() -> None:
    for degree in DEGREES:
        assert run(frame(), None, Ruling(degree, CUTS)).decision == "escalate"


@pytest.mark.parametrize(
    ("degree", "score", "asked"),
    [("human_only", 0.0, False), ("shadow", 0.0, False), ("assist", 0.0, True),
     ("partial", 0.5, True), ("partial", 0.0, False), ("full", 0.5, False)],
)  # fmt: skip
def test_a_sample_is_for_the_pilot_only(degree: Any, score: float, asked: bool) -> None:
    assert run(frame(), says(score), Ruling(degree, CUTS, ask_all=False)).asked == asked


def test_an_overrun_goes_to_a_person_without_a_prediction() -> None:
    made = overrun(frame(None, part_id="p"), SETUP, PARTIAL, new_id=ID, clock_synced=False)
    assert (made.decision, made.reason, made.asked) == ("escalate", "overrun", True)
    assert (made.part_id, made.model, made.score) == ("p", None, None)
    pilot = Ruling("shadow", ask_all=False)
    assert not overrun(frame(None), SETUP, pilot, new_id=ID, clock_synced=False).asked


def test_names_of_files_that_are_no_text_are_recorded_all_the_same() -> None:
    bad = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    odd = frame(part_id=bad, truth=bad, tags={"file": bad})
    for made in (
        run(odd, says(0.0)),
        overrun(odd, SETUP, PARTIAL, new_id=ID, clock_synced=False),
    ):
        assert json.loads(body(made.content()))["tags"] == {"file": "caf\\udce9.jpg"}


shares = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [0.0, 0.1, 0.9, 1.0, math.nextafter(0.1, 0), -0.0]
)
shapes = st.sampled_from([(40, 60, 3), (40, 60), (1, 1), (1, 1, 3), (3, 200, 3), (40, 60, 4)])
pictures = st.none() | st.builds(
    lambda shape, level: np.full(shape, level, np.uint8), shapes, st.integers(0, 255)
)
noise = st.integers(0, 99).map(
    lambda seed: np.random.default_rng(seed).integers(0, 256, (40, 60, 3)).astype(np.uint8)
)
doubts = st.builds(Doubt, st.sampled_from(["truncated", "spliced"]), st.none() | shares)
frames = st.builds(
    Frame,
    image=pictures | noise,
    monotonic_ns=st.integers(0, 10**15),
    captured_at=st.floats(0, 4e9),
    number=st.integers(0),
    part_id=st.none() | st.text(),
    truth=st.none() | st.text(),
    tags=st.dictionaries(st.text(), st.text(), max_size=2),
    doubts=st.lists(doubts, max_size=2).map(tuple),
)
answers = st.one_of(
    st.builds(
        Prediction, shares, st.text(), st.dictionaries(st.text(), shares, max_size=3), st.booleans()
    ),
    st.sampled_from(["died", "hung", "nonsense"]).map(lambda code: ModelFault(code, "x")),
    st.just(Late("late")),
)
cuts = st.none() | st.lists(st.floats(0, 1), min_size=2, max_size=2).map(
    lambda ends: Cuts(min(ends), max(ends))
)
rulings = st.builds(Ruling, st.sampled_from(DEGREES), cuts, st.none(), st.booleans())
setups = st.builds(
    lambda roi, rotate, size: replace(SETUP, roi=roi, rotate=rotate, size=size),
    st.none() | st.builds(Roi, *[st.integers(0, 70)] * 2, *[st.integers(1, 70)] * 2),
    st.sampled_from([0, 90, 180, 270]),
    st.none() | st.just((60, 40)),
)


@given(frames, st.none() | answers.map(Script), rulings, setups, st.lists(doubts, max_size=1))
def test_nothing_is_accepted_that_the_policy_does_not_accept(
    given_frame: Frame,
    model: Script | None,
    ruling: Ruling,
    setup: Setup,
    more: list[Doubt],
) -> None:
    made = run(given_frame, model, ruling, setup, tuple(more))
    content = made.content()
    assert KEYS <= set(content) <= KEYS | NOW_AND_THEN
    assert json.loads(body(content))["decision"] == made.decision
    if made.decision == "accept":
        assert model is not None
        assert isinstance(model.answer, Prediction)
        assert not made.doubts
        assert not given_frame.doubts
        assert given_frame.image is not None
        allowed = decide(model.answer.score, ruling.cuts, ruling.degree)
        assert allowed.decision == "accept"
        assert ruling.cuts is not None
        assert made.score is not None
        assert 0 <= made.score < ruling.cuts.accept_below
    if made.doubts:
        assert made.decision == "escalate"
    if made.decision == "escalate" and ruling.degree in ("assist", "partial", "full"):
        assert made.asked


def test_pixels_are_never_written_to() -> None:
    picture = GREY.copy()
    picture.setflags(write=False)
    run(frame(picture), says(0.0), setup=replace(SETUP, roi=Roi(0, 0, 20, 20), rotate=180))
    assert shown(frame(picture), SETUP)[0] is picture
    assert cv2.norm(picture, GREY) == 0


class Hurried:
    """A model that has the picture examined while it works, as the real one does."""

    def __init__(self) -> None:
        self.found: list[object] = []

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        assert meanwhile is not None
        self.found.append(meanwhile())
        return Prediction(0.01, "good", {"good": 0.99, "defect": 0.01})


def test_what_is_found_while_the_model_works_counts() -> None:
    black, model = np.zeros((40, 40, 3), np.uint8), Hurried()
    made = inspect(
        frame(black),
        SETUP,
        Ruling("partial", Cuts(0.5, 0.6)),
        model,
        Stopwatch(lambda: 0, 0),
        new_id="i",
        clock_synced=True,
    )
    assert made.reason == "doubt"
    assert [doubt["name"] for doubt in made.doubts] == ["black"]
    assert len(model.found) == 1


class Broken:
    """A model whose own code fails in a way that nobody thought of."""

    def predict(self, image: Image, meanwhile: object = None) -> Prediction:
        raise ZeroDivisionError("a mistake")


def test_a_mistake_in_the_program_costs_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    made = inspect_with(Broken())
    assert (made.decision, made.reason, made.fault) == ("escalate", "fault", "failed")
    monkeypatch.setattr("edge.inspection.measure", Broken().predict)
    made = inspect_with(Hurried())
    assert (made.decision, made.reason) == ("escalate", "doubt")
    assert [doubt["name"] for doubt in made.doubts] == ["unmeasurable"]


def inspect_with(model: Any) -> Inspection:
    return inspect(
        frame(GREY),
        SETUP,
        Ruling("partial", Cuts(0.5, 0.6)),
        model,
        Stopwatch(lambda: 0, 0),
        new_id="i",
        clock_synced=True,
    )
