"""What different ways of choosing thresholds let through, on the simulated line with known truth.

    python benchmarks/rules.py [--pool N] [--draws N] [--scores FILE.npz]

The shipped model scores N simulated parts, half of them defects. These parts are then *the line*:
their true rates are counted, not estimated. Each draw takes 800 good parts and 800 defects from it
(with replacement, so that they are a fair sample), as a plant would for a calibration, and every
rule chooses its cuts from these alone. What the cuts let through is counted on all N parts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

import numpy as np
from numpy.typing import NDArray

from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge import bundles
from edge.decision.calibration import Targets, calibrate
from edge.decision.capacity import Load, tightest_for_capacity
from inference.bundle import load
from inference.interpreter import runtime_name
from inference.worker import Worker

SEED = 107
DRAW_SEED = 1
EACH = 800
PREVALENCE = 0.05
RATE = 3600.0
CAPACITY = 900.0
TARGETS = Targets(max_escape=0.01, max_overkill=0.01, confidence=0.95)

Scores = NDArray[np.float64]
Cuts = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """The scores of every part of the simulated line."""

    good: Scores
    defect: Scores

    def rates(self, cuts: Cuts) -> tuple[float, float, float]:
        """True escape rate, overkill rate, and share of all parts that a person is asked about."""
        low, high = cuts
        escape, overkill = np.mean(self.defect < low), np.mean(self.good >= high)
        asked = [float(np.mean((s >= low) & (s < high))) for s in (self.good, self.defect)]
        return (
            float(escape),
            float(overkill),
            (1 - PREVALENCE) * asked[0] + PREVALENCE * asked[1],
        )


@dataclass(frozen=True)
class Chosen:
    """Cuts, and the escape rate that the rule promises not to exceed; None where it promises
    nothing."""

    cuts: Cuts
    promised: float | None = None


def our_rule(good: Scores, defect: Scores, targets: Targets = TARGETS) -> Chosen:
    """Escape and overkill under their targets with 95 % confidence, both together."""
    found = calibrate(good, defect, targets)
    return Chosen((found.accept_below, found.reject_above), targets.max_escape)


def three_per_cent(good: Scores, defect: Scores) -> Chosen:
    """The same where the plant can bear 3 % escapes."""
    return our_rule(good, defect, replace(TARGETS, max_escape=0.03))


def for_capacity(good: Scores, defect: Scores) -> Chosen:
    """The tightest escape bound for 900 answers/h at 3,600 parts/h."""
    found = tightest_for_capacity(good, defect, Load(RATE, PREVALENCE, CAPACITY), TARGETS).cuts
    return Chosen((found.accept_below, found.reject_above), found.escape.upper_bound)


def youden(good: Scores, defect: Scores) -> Chosen:
    """The cut with the largest difference between defects and good parts above it."""
    return _best(good, defect, lambda true, false: true / len(defect) - false / len(good))


def best_f1(good: Scores, defect: Scores) -> Chosen:
    """The cut with the best F1 on the labelled parts."""
    return _best(good, defect, lambda true, false: 2 * true / (true + false + len(defect)))


def half(good: Scores, defect: Scores) -> Chosen:
    """0.5, whatever the data."""
    return Chosen((0.5, 0.5))


def _best(
    good: Scores, defect: Scores, worth: Callable[[NDArray[np.int64], NDArray[np.int64]], Scores]
) -> Chosen:
    cuts = np.unique(np.concatenate((good, defect)))
    true = len(defect) - np.searchsorted(np.sort(defect), cuts, "left")
    false = len(good) - np.searchsorted(np.sort(good), cuts, "left")
    cut = float(cuts[np.argmax(worth(true, false))])
    return Chosen((cut, cut))


RULES: dict[str, Callable[[Scores, Scores], Chosen]] = {
    "rule, 1 % escapes": our_rule,
    "rule, 3 % escapes": three_per_cent,
    f"--capacity {CAPACITY:.0f}": for_capacity,
    "Youden": youden,
    "best F1": best_f1,
    "0.5": half,
}


def score_line(parts: int) -> Line:
    """Draw and score the parts, by the child and the transform of the line."""
    source = SyntheticSource(SyntheticOptions(seed=SEED, defect_rate=0.5, limit=parts))
    source.open()
    worker = Worker(load(bundles.folder("@rings")))
    worker.start()
    scores: dict[bool, list[float]] = {True: [], False: []}
    try:
        if not worker.wait_ready(20):
            raise RuntimeError(worker.last_fault)
        while (frame := source.read()) is not None:
            assert frame.image is not None
            scores[frame.truth == "good"].append(worker.predict(frame.image).score)
            if frame.number % 2000 == 0:
                print(f"{frame.number:,} of {parts:,} parts", file=sys.stderr, flush=True)
    finally:
        worker.close()
    return Line(np.array(scores[True]), np.array(scores[False]))


def compare(line: Line, draws: int) -> None:
    """Print a table as docs/calibration.md has it."""
    random = np.random.default_rng(DRAW_SEED)
    rates: dict[str, list[tuple[float, float, float]]] = {name: [] for name in RULES}
    promised: dict[str, list[float]] = {name: [] for name in RULES}
    for _ in range(draws):
        good, defect = random.choice(line.good, EACH), random.choice(line.defect, EACH)
        for name, rule in RULES.items():
            chosen = rule(good, defect)
            rates[name].append(line.rates(chosen.cuts))
            promised[name].append(np.nan if chosen.promised is None else chosen.promised)
    print(
        f"{runtime_name()}, {len(line.good):,} good parts and {len(line.defect):,} defects of "
        f"seed {SEED}, {draws:,} draws of {EACH} + {EACH} with seed {DRAW_SEED}\n"
    )
    print(
        "| rule | escapes promised | true escapes | promise broken | over 1 % | true overkill "
        "| over 1 % | asked | escapes per million |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in RULES:
        print(_row(name, np.array(rates[name]), np.array(promised[name])))


def _row(name: str, rates: Scores, promised: Scores) -> str:
    """Medians over the draws, and how many draws broke what."""
    escape, overkill, asked = rates.T
    silent = bool(np.isnan(promised).any())
    said = "nothing" if silent else f"{100 * np.median(promised):.2f} %"
    broken = "–" if silent else f"{100 * np.mean(escape > promised):.1f} %"
    return (
        f"| {name} | {said} | {100 * np.median(escape):.2f} % | {broken} "
        f"| {100 * np.mean(escape > 0.01):.1f} % | {100 * np.median(overkill):.2f} % "
        f"| {100 * np.mean(overkill > 0.01):.1f} % | {100 * np.median(asked):.1f} % "
        f"| {1e6 * PREVALENCE * np.median(escape):,.0f} |"
    )


def main() -> None:
    """Score the line, or take scores that were kept, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pool", type=int, default=20_000, help="parts of the line")
    parser.add_argument("--draws", type=int, default=2_000, help="calibrations")
    parser.add_argument("--scores", type=Path, help="keep scores here, and use them next time")
    given = parser.parse_args()
    if given.scores is not None and given.scores.exists():
        with np.load(given.scores) as kept:
            line = Line(kept["good"], kept["defect"])
    else:
        line = score_line(given.pool)
        if given.scores is not None:
            np.savez(given.scores, good=line.good, defect=line.defect)
    compare(line, given.draws)


if __name__ == "__main__":
    main()
