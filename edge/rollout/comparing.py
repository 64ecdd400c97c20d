"""What a comparison is made of: parts of the line, or pictures that both models look at now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from camera.folder import SUFFIXES, truth_of
from camera.frame import Image
from edge import __version__, calibrations
from edge.calibrating.scoring import scorer
from edge.config import Config
from edge.decision.policy import decide
from edge.records import Cuts, Origin
from edge.rollout.comparison import Comparison, Part, compare, differing
from edge.rollout.evidence import Evidence
from edge.rollout.looking import pairs_file, standing
from edge.rollout.pair import Answer, Pair
from edge.rollout.pairs import Word, pairs_and_words, replay
from edge.rollout.standing import Standing
from edge.scoring import Scored, score_all
from edge.seating import make_setup
from edge.standards import Standards
from edge.workers.ruler import Basis
from inference.bundle import Bundle
from inference.prediction import Prediction
from inference.worker import Worker
from sync.assignment import Limits

NO_CUTS = "no cuts at the time: no calibration was in force"
HALF = Cuts(0.5, 0.5, certified=False)
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Named:
    """One of the two, in words; `by` says by which cuts it decides."""

    name: str
    version: str = ""
    digest: str | None = None
    by: str = "its own cuts at the time"

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "name": self.name,
            "version": self.version,
            "bundle": self.digest,
            "cuts": self.by,
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with what it was made of. `seen` counts all parts that both have answered, also
    those whose answers are not kept; `broken` says which guard of a candidate does not hold."""

    first: Named
    second: Named
    source: str
    parts: list[Part]
    figures: Comparison
    seen: int
    broken: str | None = None

    def as_json(self, most: int) -> dict[str, object]:
        """For `--json`, with so many of the differing parts at most."""
        return {
            "first": self.first.as_json(),
            "second": self.second.as_json(),
            "source": self.source,
            "seen": self.seen,
            "broken": self.broken,
            **self.figures.as_json(),
            "differing": [part.as_json() for part in differing(self.parts)[:most]],
        }


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


def side(
    config: Config, bundle: Bundle, calibration: str | None = None, configured: bool = False
) -> Side:
    """A bundle with the calibration of this id, else the one in force, else its newest here.

    Without any it decides at 0.5, which means nothing but a common ground. Raises sqlite3.Error.
    """
    standards = Standards(config, bundle, configured=configured)
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


def of_pictures(
    config: Config, folder: Path, both: tuple[Side, Side], confidence: float, tell: Tell
) -> Compared:
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
    first, second = (
        Named(one.bundle.name, one.bundle.version, one.bundle.digest, one.by) for one in both
    )
    figures = compare(parts, confidence)
    return Compared(first, second, f"pictures in {folder}", parts, figures, len(parts))


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


def of_line(config: Config, confidence: float) -> Compared | None:
    """The newest parts that both models saw on the line, the newcomer second, and what the guards
    say; None where no model has run beside another one. Raises OSError, sqlite3.Error."""
    found = standing(config)
    path = pairs_file(config, found)
    if path is None:
        return None
    one = next((one for one in (found.candidate, found.last) if one and one.id == path.stem), None)
    pairs, words = pairs_and_words(path)
    parts = [_part(pair, words, config.state_dir) for pair in pairs]
    evidence = Evidence(
        one.orders.limits if one else Limits(),
        config.decision.max_escape,
        config.decision.max_overkill,
    )
    replay(path, evidence)
    breach = evidence.broken()
    first = Named("the other model") if one is None else _other(found, one.digest)
    second = Named("the newcomer") if one is None else Named(one.name, one.version, one.digest)
    return Compared(
        first if any(part.first.would_be for part in parts) else replace(first, by=NO_CUTS),
        second if any(part.second.would_be for part in parts) else replace(second, by=NO_CUTS),
        f"parts of {config.station.path}",
        parts,
        compare(parts, confidence),
        evidence.parts,
        None if breach is None else f"{breach.code}: {breach.words}",
    )


def _other(found: Standing, digest: str) -> Named:
    """The model that the one with this digest stands beside."""
    other = found.back if found.active.digest == digest else found.active
    return Named("–") if other is None else Named(other.name, other.version, other.digest)


def _part(pair: Pair, words: Mapping[str, Word], state_dir: Path) -> Part:
    picture = None if pair.picture is None else state_dir / pair.picture
    name = pair.part_id or pair.inspection
    known = _known(pair.truth, words.get(pair.inspection))
    return Part(name, pair.active, pair.candidate, known, picture)


def _known(truth: str | None, word: Word | None) -> bool | None:
    """Whether it is a defect, by a challenge's truth or a person's answer."""
    if truth is not None:
        return truth == "defect"
    known = word is not None and word.verdict in ("accept", "reject")
    return word.verdict == "reject" if known and word is not None else None
