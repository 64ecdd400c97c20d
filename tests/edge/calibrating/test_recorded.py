"""Persons' verdicts: only on parts drawn whatever their score, and with the answer hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera.frame import Image
from edge.calibrating.gathered import Unusable
from edge.calibrating.recorded import Judged, Place, score_recorded, verdicts
from edge.calibrations import Binding
from edge.decision.challenge import TAG
from edge.inspection import Setup
from edge.records import ImageRef, Inspection, Moment
from edge.review.verdict import Verdict
from edge.review.verdicts import give
from edge.store.encoding import encode
from edge.store.images import ImageStore
from edge.store.journal import Journal
from inference.prediction import Prediction
from tests.edge.review.test_verdicts import correction
from tests.edge.review.test_verdicts import verdict as said
from tests.edge.store.builders import NOON, ORIGIN, due, inspection

BINDING = Binding("b" * 64, "litert 2.0", "x86_64", "v" * 64)


class Dark:
    """The darker, the worse."""

    asked = 0

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        self.asked += 1
        score = 1 - float(image.mean()) / 255
        return Prediction(score, "good", {"good": 1 - score, "defect": score})


def nothing(done: int, of: int) -> None:
    pass


class Bench:
    """A station whose parts were asked about in shadow, until a test says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = Dark()
        self.number = 0
        self.judged: list[Judged] = []

    def part(self, verdict: str = "accept", label: str | None = None, **changed: Any) -> Inspection:
        self.number += 1
        usual: dict[str, Any] = {
            "automation": "shadow",
            "reason": "automation",
            "score": self.number / 1000,
            "model": {"name": "m", "version": "1", "bundle": BINDING.bundle},
            "runtime": BINDING.runtime,
            "view": BINDING.view,
        }
        made = inspection(self.number, "escalate", asked=True, part=f"P{self.number}")
        made = replace(made, **{**usual, **changed})
        journal = Journal.open(self.folder / "line.db", "boot-1", 0)
        journal.append([made], deadlines=due(made))
        journal.close()
        self.judged.append(Judged(made.id, verdict, label))
        return made

    def picture(self, level: int) -> ImageRef:
        image = np.full((20, 30, 3), level, np.uint8)
        data = cv2.imencode(".png", image)[1].tobytes()
        return ImageStore(self.folder).keep(f"picture-{level}", NOON, data)

    def score(self) -> Any:
        place = Place(self.folder, Setup(ORIGIN, BINDING.view, None, None), BINDING)
        return score_recorded(self.judged, place, self.model, nothing)

    def left(self) -> dict[str, int]:
        return {one.why: one.count for one in self.score().left_out}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_verdicts_are_truths_and_recorded_scores_are_taken(bench: Bench) -> None:
    bench.part("accept")
    bench.part("reject", "defect/dent")
    bench.part("reject", "scratch")
    bench.part("reject")
    samples = bench.score().samples
    assert samples.scores.tolist() == [0.001, 0.002, 0.003, 0.004]
    assert samples.defect.tolist() == [False, True, True, True]
    assert [samples.types[at] if at >= 0 else None for at in samples.type_of] == [
        None, "dent", "scratch", None,
    ]  # fmt: skip
    assert bench.model.asked == 0


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("asked because of its score", {"automation": "partial"}),
        ("asked because of its score", {"automation": "full"}),
        ("the person saw the model's answer", {"automation": "assist"}),
        (
            "a spot check: drawn among sure answers only",
            {
                "automation": "partial",
                "decision": "accept",
                "spot_check": {"p": 0.1, "drawn": True},
            },
        ),
        ("not drawn: a person judged it unasked", {"asked": False}),
        ("doubtful: blurred", {"doubts": ({"name": "blurred"},)}),
        ("a challenge part", {"tags": {TAG: "1"}, "truth": "good"}),
        ("taken with another view of the camera", {"view": "w" * 64}),
        ("scored by another model, and no picture is kept", {"runtime": "litert 1.0"}),
        ("scored by another model, and no picture is kept", {"score": None, "model": None}),
    ],
)
def test_every_other_verdict_is_counted_and_left_out(
    bench: Bench, why: str, changed: dict[str, Any]
) -> None:
    bench.part()
    bench.part(**changed)
    found = bench.score()
    assert len(found.samples.scores) == 1
    assert bench.left() == {why: 1}


def test_unsure_contradicting_and_led_answers_do_not_count(bench: Bench) -> None:
    bench.part("unsure")
    made = bench.part("accept")
    bench.judged.append(Judged(made.id, "reject"))
    led = bench.part("accept")
    bench.judged[-1] = Judged(led.id, "accept", None, answer_shown=True)
    bench.judged.append(Judged("not there", "accept"))
    back = bench.part("accept")
    bench.judged[-1] = Judged(back.id, None)
    corrected = bench.part("accept")
    bench.judged[-1] = Judged(corrected.id, "reject", None, True, corrected=True)
    in_hand = bench.part("accept")
    bench.judged[-1] = Judged(in_hand.id, "accept", basis="part")
    assert bench.left() == {
        "the answer was taken back": 1,
        "corrected by somebody who saw the model's answer": 1,
        "the person looked at the part itself": 1,
        "the person was unsure": 1,
        "persons disagree": 1,
        "the person saw the model's answer": 1,
        "its inspection is no longer stored": 1,
    }


def test_the_pilot_s_draw_counts_in_human_only_too_scored_from_the_picture(bench: Bench) -> None:
    bench.part(automation="human_only", score=None, model=None, image=bench.picture(51))
    bench.part("reject", model={"bundle": "another"}, image=bench.picture(255))
    found = bench.score()
    assert found.samples.scores.tolist() == pytest.approx([0.8, 0.0])
    assert found.samples.defect.tolist() == [False, True]
    assert found.rescored == 2
    assert found.samples.sha256[0] != found.samples.sha256[1]


def test_only_scores_of_pictures_that_lost_something_are_doubtful(bench: Bench) -> None:
    data = encode(np.full((20, 30, 3), 51, np.uint8))
    kept = ImageStore(bench.folder).keep("picture", NOON, data)
    bench.part("accept", image=kept)
    assert bench.score().doubtful == ()  # the record has the line's own score
    bench.part("reject", model={"bundle": "another"}, image=bench.picture(255))
    assert bench.score().doubtful == ()
    more = ImageStore(bench.folder).keep("more", NOON, encode(np.full((20, 30, 3), 9, np.uint8)))
    bench.part("reject", model={"bundle": "another"}, image=more)
    (why,) = bench.score().doubtful
    assert why.startswith("1 of the pictures lost something")


def test_a_stored_picture_that_was_changed_is_not_scored(bench: Bench) -> None:
    image = bench.picture(51)
    bench.part(score=None, model=None, image=image)
    (bench.folder / image.path).write_bytes(b"another")
    assert bench.left() == {"scored by another model, and no picture is kept": 1}


def test_a_part_that_came_twice_counts_once_and_a_quick_line_is_not_merged(bench: Bench) -> None:
    for number in range(20):
        bench.part(captured=Moment(NOON + number / 10, number))
    bench.part(part_id="P1")
    assert len(bench.score().samples.scores) == 20
    assert bench.left() == {"another picture of the same part counts": 1}


def test_the_familiar_range_is_learnt_from_stored_pictures(bench: Bench) -> None:
    for number in range(20):
        bench.part(image=bench.picture(100 + number))
    assert bench.score().familiar["count"] == 20


def test_without_a_verdict_it_says_so(bench: Bench) -> None:
    with pytest.raises(Unusable, match="no person has answered"):
        bench.score()
    assert list(verdicts(bench.folder / "queue.db")) == []


def test_verdicts_are_read_from_the_queue(bench: Bench) -> None:
    moment = Moment(NOON, 1)
    for number, shown in enumerate((False, True)):
        made = Verdict(
            id=f"v{number}",
            origin=ORIGIN,
            given=moment,
            inspection=f"i{number}",
            verdict="reject",
            by="anna",
            label="dent",
            answer_shown=shown,
        )
        give(bench.folder, made)
    assert list(verdicts(bench.folder / "queue.db")) == [
        Judged("i0", "reject", "dent"),
        Judged("i1", "reject", "dent", answer_shown=True),
    ]


def test_words_that_were_taken_back_or_corrected_are_told_as_such(tmp_path: Path) -> None:
    given = [said(number, f"i{number}") for number in range(3)]
    for made in given:
        give(tmp_path, made)
    give(tmp_path, correction(7, given[0]))
    give(tmp_path, correction(8, given[1], to="accept"))
    assert list(verdicts(tmp_path / "queue.db")) == [
        Judged("i0", None),
        Judged("i1", "accept", None, answer_shown=True, corrected=True),
        Judged("i2", "accept", "scratch"),
    ]
