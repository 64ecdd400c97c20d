"""Trying a model on a few labelled pictures with every plausible way of preparing them.

What a file does not say about scaling, colour order and fit, good and defective pictures can:
with the right preparation the model separates them best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.manifest import Manifest
from inference.postprocess import Postprocessor
from inference.prediction import ModelFault, NoPrediction
from inference.preprocess import Image, Preprocessor
from inference.proof import decode
from inference.spec import FITS, NAMED_SCALINGS, Colour, InputSpec, Scaling, untouched
from inference.worker import Worker
from inference.wrap import with_input

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
FEWEST = 5
ENOUGH = 0.9
GOLDEN = 5
READY_S = 20.0
_CERTAIN = 1e-6
_SETTLED = ("given", "read")

Ask = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Sample:
    """One labelled picture."""

    name: str
    content: bytes
    image: Image
    defect: bool


@dataclass(frozen=True)
class Attempt:
    """One way of preparing pictures, and how well the model separates them with it.

    `auroc` is the probability that a defect scores higher than a good part, ties counted half
    (the Mann-Whitney statistic); `loss` the mean of −ln of the probability given to the truth.
    """

    spec: InputSpec
    scaling: str
    auroc: float
    loss: float
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    """All attempts, the best first. `settled` when there were enough pictures and the best
    attempt separates them well enough to stand for a confirmation."""

    attempts: tuple[Attempt, ...]
    good: int
    defect: int

    @property
    def settled(self) -> bool:
        """At least FEWEST pictures of each, and an AUROC of at least ENOUGH."""
        enough = min(self.good, self.defect) >= FEWEST
        return enough and bool(self.attempts) and self.attempts[0].auroc >= ENOUGH


def read_samples(folder: Path) -> list[Sample]:
    """The pictures below `folder`/good and `folder`/defect, in order of their paths. Raises
    OSError when one of the two has none; what cannot be decoded is an error too."""
    found: list[Sample] = []
    for kind in ("good", "defect"):
        paths = sorted(p for p in (folder / kind).rglob("*") if p.suffix.lower() in ENDINGS)
        if not paths:
            raise OSError(f"there are no pictures in {folder / kind}")
        for path in paths:
            content = path.read_bytes()
            image = decode(content)
            if image is None:
                raise OSError(f"{path} is no picture, or a damaged one")
            found.append(Sample(path.name, content, image, kind == "defect"))
    return found


def try_out(manifest: Manifest, model: bytes, samples: Sequence[Sample]) -> Trial:
    """`run_trial` with the model in a child. Raises NoPrediction when it does not get ready."""
    worker = Worker(Bundle(Path(), manifest, "", model))
    try:
        worker.start()
        if not worker.wait_ready(READY_S):
            raise ModelFault("not_ready", worker.last_fault)
        return run_trial(manifest, samples, worker.ask)
    finally:
        worker.close()


def run_trial(manifest: Manifest, samples: Sequence[Sample], ask: Ask) -> Trial:
    """Try every combination of what nobody gave and the file does not say.

    `ask` runs the model on one tensor. A combination on which it raises NoPrediction, or answers
    nonsense, is left out.
    """
    attempts: list[Attempt] = []
    for spec, name in combinations(manifest):
        scores = _scores(spec, manifest, samples, ask)
        if scores is not None:
            truths = [sample.defect for sample in samples]
            attempts.append(
                Attempt(spec, name, auroc(scores, truths), loss(scores, truths), scores)
            )
    declared = manifest.spec.input
    # Equal ones stay in the order of plausibility; what was declared comes first.
    attempts.sort(key=lambda a: (-round(a.auroc, 6), round(a.loss, 6), a.spec != declared))
    defects = sum(sample.defect for sample in samples)
    return Trial(tuple(attempts), len(samples) - defects, defects)


def settle(manifest: Manifest, trial: Trial) -> Manifest:
    """The manifest with the best attempt's input. Only a settled trial vouches for what was
    guessed, labels and their roles included: with these confused nothing would separate."""
    if not trial.attempts:
        return manifest
    best = trial.attempts[0]
    changed = with_input(manifest, best.spec, trial.settled)
    said = {
        "good": trial.good,
        "defect": trial.defect,
        "combinations": len(trial.attempts),
        "auroc": round(best.auroc, 6),
    }
    return replace(changed, lineage={**changed.lineage, "trial": said})


def golden_from(samples: Sequence[Sample], trial: Trial) -> dict[str, tuple[bytes, float]]:
    """The first few pictures of each kind with their scores, as a golden set."""
    if not trial.attempts:
        return {}
    chosen: dict[str, tuple[bytes, float]] = {}
    counts = {True: 0, False: 0}
    for sample, score in zip(samples, trial.attempts[0].scores, strict=True):
        if counts[sample.defect] < GOLDEN:
            counts[sample.defect] += 1
            kind = "defect" if sample.defect else "good"
            chosen[f"{kind}-{counts[sample.defect]}{Path(sample.name).suffix.lower()}"] = (
                sample.content,
                score,
            )
    return chosen


def combinations(manifest: Manifest) -> Iterator[tuple[InputSpec, str]]:
    """Every plausible input with the name of its scaling, the declared one first."""
    declared = manifest.spec.input
    yield declared, _name_of(declared, declared.scaling)
    for scaling in _scalings(manifest):
        for colour in _colours(manifest, scaling):
            for fit in FITS if _open(manifest, "fit") else (declared.fit,):
                spec = replace(declared, scaling=scaling, colour=colour, fit=fit)
                if spec != declared:
                    yield spec, _name_of(spec, scaling)


def auroc(scores: Sequence[float], defects: Sequence[bool]) -> float:
    """P(score of a defect > score of a good part) + half of P(equal)."""
    bad = np.array([s for s, d in zip(scores, defects, strict=True) if d])[:, None]
    good = np.array([s for s, d in zip(scores, defects, strict=True) if not d])[None, :]
    return float(((bad > good) + 0.5 * (bad == good)).mean())


def loss(scores: Sequence[float], defects: Sequence[bool]) -> float:
    """Mean of −ln of the probability given to the truth, probabilities kept off 0."""
    given = [s if d else 1.0 - s for s, d in zip(scores, defects, strict=True)]
    return sum(-math.log(max(_CERTAIN, p)) for p in given) / len(given)


def _scores(
    spec: InputSpec, manifest: Manifest, samples: Sequence[Sample], ask: Ask
) -> tuple[float, ...] | None:
    preprocess = Preprocessor(spec)
    postprocess = Postprocessor(manifest.spec.output)
    try:
        return tuple(postprocess(ask(preprocess(sample.image))).score for sample in samples)
    except NoPrediction:
        return None


def _open(manifest: Manifest, field: str) -> bool:
    return manifest.provenance.get(field, "given") not in _SETTLED


def _scalings(manifest: Manifest) -> list[Scaling]:
    spec = manifest.spec.input
    if not _open(manifest, "scaling"):
        return [spec.scaling]
    found = [spec.scaling]
    if spec.dtype != "float32":
        found.append(untouched(spec.dtype, spec.scale, spec.zero_point))
    for scaling in NAMED_SCALINGS.values():
        if len(scaling.mean) in (1, spec.channels):
            found.append(scaling)
    return list(dict.fromkeys(found))


def _colours(manifest: Manifest, scaling: Scaling) -> tuple[Colour, ...]:
    declared = manifest.spec.input.colour
    if declared == "grey" or not _open(manifest, "colour"):
        return (declared,)
    if scaling == NAMED_SCALINGS["caffe"]:
        return ("bgr",)
    return ("rgb",) if scaling == NAMED_SCALINGS["imagenet"] else ("rgb", "bgr")


def _name_of(spec: InputSpec, scaling: Scaling) -> str:
    if spec.dtype != "float32" and scaling == untouched(spec.dtype, spec.scale, spec.zero_point):
        return "raw"
    for name, named in NAMED_SCALINGS.items():
        if named == scaling:
            return name
    return f"{scaling.mean}/{scaling.std}"
