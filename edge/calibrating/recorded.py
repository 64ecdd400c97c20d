"""Known parts from production: persons' verdicts on parts that were drawn whatever their score.

Only where the answer of the model was hidden. Every other verdict is counted, named and left out:
among escalated parts, or among sure ones, scores are not what they are among all parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from camera.decode import decode
from camera.familiar import FEWEST, learn
from camera.frame import Frame, Image
from camera.quality import Measures, measure
from edge.calibrating.gathered import Gathered, Heap, Unusable, fingerprint, lost
from edge.calibrating.once import Shot, once
from edge.calibrating.scoring import Progress
from edge.calibrations import Binding
from edge.decision.challenge import TAG
from edge.decision.evidence import Samples
from edge.inspection import PILOT, Model, Setup, shown
from edge.review.label import label_of
from edge.review.spoken import spoken
from edge.store.archive import Archive
from edge.store.encoding import lossy
from inference.prediction import NoPrediction


@dataclass(frozen=True, slots=True)
class Judged:
    """A person's word about one inspection that stands: accept, reject, unsure, or None where all
    were taken back."""

    inspection: str
    verdict: str | None
    label: str | None = None
    answer_shown: bool = False
    basis: str = "picture"
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The station's records: where, and what they must belong to."""

    state_dir: Path
    setup: Setup
    binding: Binding


def verdicts(path: Path) -> Iterator[Judged]:
    """What persons say about each part now, after corrections; none where there is no queue."""
    for inspection, given in spoken(path).items():
        words = label_of(given, "picture").words
        if not words:
            yield Judged(inspection, None)
        for word in words:
            corrected = word.about is not None
            known = word.said, word.type, word.answer_shown, word.basis, corrected
            yield Judged(inspection, *known)


@dataclass(slots=True)
class _Part:
    """One inspection that counts, unless another one of its part does."""

    id: str
    shot: Shot
    type: str | None
    score: float
    picture: Path | None
    measures: Measures | None
    lossy: bool


def score_recorded(
    judged: Iterable[Judged], place: Place, model: Model, progress: Progress
) -> Gathered:
    """Scores and truths of the parts that count.

    A score is taken from the record where bundle and runtime are those of `place`; otherwise the
    stored picture is scored anew. Raises Unusable where no verdict is there at all.
    """
    answers = _answers(judged)
    if not answers:
        raise Unusable("no person has answered about a part yet", "edge-inspect queue list")
    with Archive(place.state_dir / "line.db") as archive:
        reader = _Reader(archive, place, model)
        parts = []
        for number, (inspection, given) in enumerate(answers.items(), 1):
            part = reader.read(inspection, given)
            if part is not None:
                parts.append(part)
            progress(number, len(answers))
    return _gathered(place, _counted(parts, reader.heap), reader)


def _answers(judged: Iterable[Judged]) -> dict[str, list[Judged]]:
    answers: dict[str, list[Judged]] = {}
    for one in judged:
        answers.setdefault(one.inspection, []).append(one)
    return answers


class _DoesNotCount(Exception):
    """Why a verdict does not count."""


@dataclass(slots=True)
class _Reader:
    """Looks up, sorts out and scores one inspection after the other."""

    archive: Archive
    place: Place
    model: Model
    heap: Heap = field(default_factory=Heap)
    rescored: int = 0

    def read(self, inspection: str, given: list[Judged]) -> _Part | None:
        """The part; None, and a reason on the heap, where it does not count."""
        try:
            return self._part(self._record(inspection, given), given[0])
        except _DoesNotCount as reason:
            self.heap.add(str(reason), inspection)
            return None

    def _record(self, inspection: str, given: list[Judged]) -> dict[str, Any]:
        found = self.archive.find(inspection)
        if not found:
            raise _DoesNotCount("its inspection is no longer stored")
        record: dict[str, Any] = json.loads(found[0].body)
        if why := _biased(record, given):
            raise _DoesNotCount(why)
        if record["view"] != self.place.binding.view:
            raise _DoesNotCount("taken with another view of the camera")
        return record

    def _part(self, record: dict[str, Any], given: Judged) -> _Part:
        frame, path, digest = self._picture(record)
        picture = None if frame is None else shown(frame, self.place.setup)[0]
        score, lost_some = self._recorded_score(record), False
        if score is None:
            score = self._score(picture)
            lost_some = frame is not None and frame.encoded is not None and lossy(frame.encoded)
        kind = "good" if given.verdict == "accept" else "defect"
        shot = Shot(digest or f"inspection {record['id']}", kind, record["part_id"])
        measures = None if picture is None else measure(picture)
        return _Part(record["id"], shot, _type(given, kind), score, path, measures, lost_some)

    def _score(self, picture: Image | None) -> float:
        if picture is None:
            raise _DoesNotCount("scored by another model, and no picture is kept")
        try:
            answer = self.model.predict(picture)
        except NoPrediction as failure:
            raise _DoesNotCount(f"the model gave no answer: {failure.code}") from failure
        if answer.not_a_part:
            raise _DoesNotCount("doubtful: not_a_part")
        self.rescored += 1
        return answer.score

    def _recorded_score(self, record: dict[str, Any]) -> float | None:
        model, binding = record["model"], self.place.binding
        ours = model is not None and model["bundle"] == binding.bundle
        return record["score"] if ours and record["runtime"] == binding.runtime else None

    def _picture(self, record: dict[str, Any]) -> tuple[Frame | None, Path | None, str | None]:
        """The stored picture, where it is still there and whole."""
        image = record["image"]
        if image is None:
            return None, None, None
        path = self.place.state_dir / image["path"]
        try:
            data = path.read_bytes()
        except OSError:
            return None, None, image["sha256"]
        if hashlib.sha256(data).hexdigest() != image["sha256"]:
            return None, None, image["sha256"]
        pixels, found = decode(data)
        if pixels is None or found:
            return None, None, image["sha256"]
        return Frame(pixels, 0, 0.0, 0, encoded=data), path, image["sha256"]


def _biased(record: dict[str, Any], given: list[Judged]) -> str | None:
    """Why a verdict says nothing about parts drawn whatever their score."""
    if TAG in record["tags"]:
        return "a challenge part"
    if record["automation"] not in PILOT:
        spot = record["spot_check"]
        if spot is not None and spot.get("drawn"):
            return "a spot check: drawn among sure answers only"
        if record["automation"] == "assist":
            return "the person saw the model's answer"
        return "asked because of its score"
    if any(one.verdict is None for one in given):
        return "the answer was taken back"
    if any(one.corrected for one in given):
        return "corrected by somebody who saw the model's answer"
    if any(one.answer_shown for one in given):
        return "the person saw the model's answer"
    if any(one.basis == "part" for one in given):
        return "the person looked at the part itself"
    if not record["asked"]:
        return "not drawn: a person judged it unasked"
    if record["doubts"]:
        return f"doubtful: {', '.join(doubt['name'] for doubt in record['doubts'])}"
    said = {one.verdict for one in given}
    if "unsure" in said:
        return "the person was unsure"
    return "persons disagree" if len(said) > 1 else None


def _type(given: Judged, kind: str) -> str | None:
    if kind == "good" or not given.label:
        return None
    return given.label.removeprefix("defect/")


def _counted(parts: list[_Part], heap: Heap) -> list[_Part]:
    chosen = once([part.shot for part in parts])
    counted = []
    for index, part in enumerate(parts):
        if chosen[index] == index:
            counted.append(part)
        else:
            heap.add("another picture of the same part counts", part.id)
    return counted


def _gathered(place: Place, counted: list[_Part], reader: _Reader) -> Gathered:
    samples = Samples.of(
        [
            (part.score, part.shot.label == "defect", part.type, part.shot.sha256, part.shot.part)
            for part in counted
        ],
        [part.picture for part in counted],
    )
    measures = [part.measures for part in counted if part.measures is not None]
    return Gathered(
        source="recorded",
        name=str(place.state_dir),
        samples=samples,
        fingerprint=fingerprint(samples),
        left_out=reader.heap.left_out(),
        familiar=learn(measures).as_json() if len(measures) >= FEWEST else None,
        doubtful=lost(sum(part.lossy for part in counted)),
        rescored=reader.rescored,
    )
