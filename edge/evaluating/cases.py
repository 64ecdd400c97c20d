"""Parts of known truth with their scores and everything that they can be sliced by. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.decision.evidence import LeftOut

UNKNOWN = "unknown"
QUARTERS = ("darkest", "darker", "brighter", "brightest")


@dataclass(frozen=True, slots=True)
class Cases:
    """Columns, one row a part.

    `doubtful` parts are escalated whatever their score. `tags` by name, `UNKNOWN` where a part has
    none; `type` is the defect's and empty for good parts. `pictures` is empty, or as long as the
    others. `notes` are sentences that the reader of the figures has to know.
    """

    scores: NDArray[np.float64]
    defect: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    tags: Mapping[str, Sequence[str]]
    left_out: tuple[LeftOut, ...] = ()
    pictures: Sequence[Path | None] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Gathering:
    """Cases row by row; a tag that some parts lack is `UNKNOWN` there."""

    scores: list[float] = field(default_factory=list)
    defect: list[bool] = field(default_factory=list)
    doubtful: list[bool] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    pictures: list[Path | None] = field(default_factory=list)

    def add(
        self,
        score: float,
        defect: bool,
        tags: dict[str, str],
        doubtful: bool = False,
        picture: Path | None = None,
    ) -> None:
        """One part more."""
        self.scores.append(score)
        self.defect.append(defect)
        self.doubtful.append(doubtful)
        self.tags.append(tags)
        self.pictures.append(picture)

    def cases(self, left_out: tuple[LeftOut, ...] = (), notes: tuple[str, ...] = ()) -> Cases:
        """All of them, in columns."""
        names = list(dict.fromkeys(name for tags in self.tags for name in tags))
        columns = {name: [tags.get(name, UNKNOWN) for tags in self.tags] for name in names}
        return Cases(
            np.array(self.scores, np.float64),
            np.array(self.defect, np.bool_),
            np.array(self.doubtful, np.bool_),
            columns,
            left_out,
            self.pictures,
            notes,
        )


def quarters(levels: Sequence[float | None]) -> list[str]:
    """Each brightness as one of four equal parts of these data, with its range in grey levels."""
    known = np.array([level for level in levels if level is not None])
    if not len(known):
        return [UNKNOWN] * len(levels)
    ends = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
    names = [
        f"{name} ({low:.0f} to {high:.0f})"
        for name, low, high in zip(QUARTERS, ends, ends[1:], strict=False)
    ]
    return [
        UNKNOWN if level is None else names[int(np.searchsorted(ends[1:4], level, "left"))]
        for level in levels
    ]


def family(part_id: str | None) -> str:
    """A part id without the number at its end: `R-000123` is of the family `R`."""
    stem = (part_id or "").rstrip("0123456789").rstrip("-_. /")
    return stem or UNKNOWN
