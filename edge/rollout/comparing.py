"""What a comparison is made of: parts of the line, or pictures that both models look at now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from camera.folder import SUFFIXES, truth_of
from camera.frame import Image
from edge import __version__, calibrations
from edge.calibrating.scoring import scorer
from edge.config import Config
from edge.decision.policy import decide
from edge.records import Cuts, Origin
from edge.rollout.comparison import Part
from edge.rollout.pair import Answer
from edge.rollout.pairs import Word, pairs_and_words
from edge.scoring import Scored, score_all
from edge.seating import make_setup
from edge.standards import Standards
from edge.workers.ruler import Basis
from inference.bundle import Bundle
from inference.prediction import Prediction
from inference.worker import Worker

HALF = Cuts(0.5, 0.5, certified=False)
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its bundle, by which cuts it decides, and which ones these are in words."""

    bundle: Bundle
    basis: Basis
    cuts: Cuts
    by: str


class _Timed:
    """A model, and what its last answer took of it."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.ms = 0.0

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        """The answer, as of the worker."""
        self.ms = 0.0
        answer = self._worker.predict(image, meanwhile)
        self.ms = self._worker.run_ms
        return answer


def side(config: Config, bundle: Bundle, calibration: str | None = None) -> Side:
    """A bundle with the calibration of this id, else the one in force, else its newest here.

    Without any it decides at 0.5, which means nothing but a common ground. Raises sqlite3.Error.
    """
    standards = Standards(config, bundle)
    found = _calibration(standards, calibration)
    basis = standards.basis(calibrations.Choice(found, ""))
    if basis.cuts is None:
        return Side(bundle, basis, HALF, "no cuts of its own: both at 0.5")
    certified = "" if basis.cuts.certified else ", not certified"
    return Side(bundle, basis, basis.cuts, f"calibration {basis.cuts.calibration}{certified}")


def _calibration(standards: Standards, wanted: str | None) -> calibrations.Calibration | None:
    if wanted is not None:
        try:
            return calibrations.find(standards.folders, wanted)[0]
        except (OSError, ValueError):
            pass
    chosen = standards.choose().calibration
    if chosen is not None:
        return chosen
    fitting = [
        one
        for one in calibrations.read_all(standards.folders)
        if calibrations.misfit(one, standards.binding, standards.made_with) is None
    ]
    return max(fitting, key=lambda one: one.id, default=None)


def of_pictures(config: Config, folder: Path, both: tuple[Side, Side], tell: Tell) -> list[Part]:
    """Every picture below a folder, by both models in turn, prepared as on the line.

    Names say the truth where there are `good/` and `defect/`. Raises CameraError without pictures,
    NoModel where a model does not start.
    """
    of = sum(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))
    parts: list[Part] = []
    with ExitStack() as stack:
        models = [
            _Timed(stack.enter_context(scorer(one.bundle, config.model.threads))) for one in both
        ]
        seen = [_seen(config, folder, one, model) for one, model in zip(both, models, strict=True)]
        for (file, first), (_, second) in zip(*seen, strict=True):
            truth = truth_of(PurePosixPath(file))
            defect = None if truth is None else truth != "good"
            parts.append(Part(file, first, second, defect, folder / file))
            tell(len(parts), of)
    return parts


def _seen(config: Config, folder: Path, one: Side, model: _Timed) -> Iterator[tuple[str, Answer]]:
    origin = Origin(config.station.path, "", config.digest, __version__)
    setup = make_setup(config, origin, Standards(config, one.bundle).view, one.bundle)
    for scored in score_all(folder, setup, one.basis.familiar, model):
        yield scored.file, _answer(scored, one.cuts, model.ms)


def _answer(scored: Scored, cuts: Cuts, ms: float) -> Answer:
    if scored.score is None:
        return Answer(None, None, "escalate", scored.fault, ms)
    choice = decide(scored.score, cuts, "partial", doubtful=bool(scored.doubts))
    return Answer(scored.score, scored.label, choice.decision, None, ms)


def of_line(path: Path, state_dir: Path) -> list[Part]:
    """The newest parts that both models saw on the line, the newcomer second. Raises OSError."""
    pairs, words = pairs_and_words(path)
    parts = []
    for pair, newcomer in pairs:
        both = (pair.active, pair.candidate)
        first, second = both if newcomer == "candidate" else (both[1], both[0])
        picture = None if pair.picture is None else state_dir / pair.picture
        if picture is not None and not picture.exists():
            picture = None
        name = pair.part_id or pair.inspection
        defect, by = _known(pair.truth, words.get(pair.inspection))
        parts.append(Part(name, first, second, defect, picture, by))
    return parts


def _known(truth: str | None, word: Word | None) -> tuple[bool | None, str | None]:
    """Whether it is a defect, and who says so."""
    if truth is not None:
        return truth == "defect", "challenge"
    if word is None or word.verdict not in ("accept", "reject"):
        return None, None
    return word.verdict == "reject", "person"


def about(parts: list[Part]) -> Mapping[str, int]:
    """How many parts have a known truth, by who says so."""
    found: dict[str, int] = {}
    for part in parts:
        if part.by is not None:
            found[part.by] = found.get(part.by, 0) + 1
    return found
