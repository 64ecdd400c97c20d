"""Which kinds of parts make the errors: each slice's share of the errors and of the data. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.evaluating.cases import UNKNOWN, Cases
from edge.monitor.auroc import Auroc, auroc
from edge.monitor.confusion import Answers, Confusion
from edge.monitor.share import Share, share

TYPE = "type"
MOST = 50
"""A tag with more values than this says nothing about groups (an id, a time)."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The parts with one value of one tag.

    Shares are of all parts that could be in the slice: for a defect type of all defects. `excess`
    is how many more wrong decisions it has than its share of the data would give it, and
    `excess_asked` the same for escalations. `rate` is wrong decisions of its parts, with the
    interval of this slice alone: among many slices some look bad by chance.
    """

    tag: str
    value: str
    n: int
    confusion: Confusion
    data_share: float
    wrong_share: float | None
    asked_share: float | None
    excess: float
    excess_asked: float
    rate: Share
    auroc: Auroc | None


def slices(
    cases: Cases,
    decided: NDArray[np.int8],
    tags: list[str],
    confidence: float,
) -> list[Slice]:
    """All slices by these tags, the one to work on next first.

    `decided` is -1 accept, 0 escalate, 1 reject. The order: most wrong decisions above its share,
    then most escalations above its share.
    """
    found: list[Slice] = []
    for tag in tags:
        values = np.array(cases.tags[tag])
        pool = cases.defect if tag == TYPE else np.ones(len(values), np.bool_)
        names = sorted(set(values[pool].tolist()))
        if len(names) > MOST or names in ([], [UNKNOWN]):
            continue
        found += [_slice(cases, decided, tag, name, values, pool, confidence) for name in names]
    return sorted(found, key=lambda one: (-one.excess, -one.excess_asked, one.tag, one.value))


def split(cases: Cases, decided: NDArray[np.int8], rows: NDArray[np.bool_]) -> Confusion:
    """The confusion of these rows."""
    made = [
        Answers(*(int(np.count_nonzero(decided[rows & truth] == way)) for way in (-1, 0, 1)))
        for truth in (~cases.defect, cases.defect)
    ]
    return Confusion(*made)


def _slice(
    cases: Cases,
    decided: NDArray[np.int8],
    tag: str,
    name: str,
    values: NDArray[np.str_],
    pool: NDArray[np.bool_],
    confidence: float,
) -> Slice:
    rows = pool & (values == name)
    mine, all_of = split(cases, decided, rows), split(cases, decided, pool)
    n, data_share = int(rows.sum()), float(rows.sum() / pool.sum())
    asked, all_asked = _asked(mine), _asked(all_of)
    # a type has no good parts of its own: it is told from all of them
    good = cases.scores[~cases.defect & (rows | (tag == TYPE))]
    return Slice(
        tag,
        name,
        n,
        mine,
        data_share,
        mine.wrong / all_of.wrong if all_of.wrong else None,
        asked / all_asked if all_asked else None,
        mine.wrong - data_share * all_of.wrong,
        asked - data_share * all_asked,
        share(mine.wrong, n, confidence),
        auroc(good, cases.scores[rows & cases.defect], confidence),
    )


def _asked(found: Confusion) -> int:
    return found.good.escalate + found.defect.escalate
