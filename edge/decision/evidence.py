"""What a calibration rests on, in memory: for its report, its file, and its comparison. Pure.

Columns instead of one object for each part: a million rows stay small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.decision.calibration import Bound, Targets
from edge.decision.capacity import Load

Row = tuple[float, bool, str | None, str, str | None]
Source = Literal["pictures", "scores", "recorded"]
Training = Literal["compared", "said", "unsaid"]
"""How it is known that no training picture is among them: the bundle's hashes were compared with
them, or a person said so. `unsaid` is never certified."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The parts that counted, one row each, in no particular order.

    `scores` float64 in 0..1, `defect` the truth; `type_of` indexes `types` (-1: a good part, or a
    defect without a type). `sha256`, `parts` and `pictures` are empty where they are not known,
    else as long as `scores`; `sha256` is of the picture's file. `pictures` are absolute paths.
    """

    scores: NDArray[np.float64]
    defect: NDArray[np.bool_]
    types: tuple[str, ...] = ()
    type_of: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    sha256: Sequence[str] = ()
    parts: Sequence[str | None] = ()
    pictures: Sequence[Path | None] = ()

    @classmethod
    def of(cls, rows: Sequence[Row], pictures: Sequence[Path | None]) -> Samples:
        """Columns from rows of (score, defect, type, sha256, part) and their pictures."""
        names: dict[str, int] = {}
        type_of = [-1 if row[2] is None else names.setdefault(row[2], len(names)) for row in rows]
        return cls(
            scores=np.array([row[0] for row in rows], np.float64),
            defect=np.array([row[1] for row in rows], np.bool_),
            types=tuple(names),
            type_of=np.array(type_of, np.int32),
            sha256=tuple(row[3] for row in rows),
            parts=tuple(row[4] for row in rows),
            pictures=tuple(pictures),
        )

    @property
    def good_scores(self) -> NDArray[np.float64]:
        """Scores of the good parts."""
        return self.scores[~self.defect]

    @property
    def defect_scores(self) -> NDArray[np.float64]:
        """Scores of the defective parts."""
        return self.scores[self.defect]


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One defect type under the cuts. `upper_bound` is Clopper and Pearson's for this type alone.

    It is not simultaneous, and the cuts were chosen on the same data: a guide, no guarantee.
    """

    type: str
    n: int
    accepted: int
    escalated: int
    rejected: int
    upper_bound: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Pictures or rows that do not count, and why: `why` in words, `examples` are a few names."""

    why: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The cuts and what is proved about them.

    `automation_good` and `automation_defect` are the shares of the samples that the cuts decide
    without a person; `at_prevalence` mixes them, None without a prevalence.
    """

    accept_below: float
    reject_above: float
    escape: Bound
    overkill: Bound
    automation_good: float | None
    automation_defect: float | None
    at_prevalence: float | None
    types: tuple[TypeRow, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a report on one calibration says.

    `result` is None where the data do not suffice; `tightest` and `needed` are then why.
    `tightest` has the keys escape and overkill, `needed` (additional samples) good and defect.
    `tries` is how many calibrations were tried before on these very pictures. `rate_per_hour` is
    parts/h, None where unknown. `resembling` is how many parts look almost like another one; they
    count all the same. `conditions` are whole sentences.
    """

    id: str
    made_at: str
    station: str
    source: Source
    source_name: str
    samples: Samples
    targets: Targets
    prevalence: float | None
    result: Result | None
    tightest: dict[str, float]
    needed: dict[str, int]
    certified: bool
    uncertified_because: tuple[str, ...] = ()
    model_name: str | None = None
    model_version: str | None = None
    bundle: str | None = None
    runtime: str | None = None
    machine: str | None = None
    view: str | None = None
    training: Training = "unsaid"
    tries: int = 0
    rate_per_hour: float | None = None
    left_out: tuple[LeftOut, ...] = ()
    resembling: int = 0
    by: str | None = None
    reason: str | None = None
    conditions: tuple[str, ...] = ()
    load: Load | None = None
    """What persons can keep up with, where the accept cut was picked for that: its bound is then
    the one that holds for all cuts at once."""
    only_needed: dict[str, int] = field(default_factory=dict)
    """Additional samples that `--only accept` (key accept) or `--only reject` (reject) needs."""
