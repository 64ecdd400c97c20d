"""What a source of known parts gives: scores, what was left out, and what it does not vouch for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.decision.evidence import LeftOut, Samples, Source

EXAMPLES = 5


class Unusable(Exception):
    """Data that nothing may be computed from; the message names the file and the row or picture."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Gathered:
    """Known parts with their scores, each once.

    `fingerprint` is the same for the same pictures (or rows) in any order. `doubtful` are reasons
    why nothing made from them may be called certified. `familiar` as in camera/familiar.py.
    `rescored` are parts whose stored picture was scored anew.
    """

    source: Source
    name: str
    samples: Samples
    fingerprint: str
    left_out: tuple[LeftOut, ...] = ()
    resembling: int = 0
    doubtful: tuple[str, ...] = ()
    familiar: Mapping[str, object] | None = None
    rescored: int = 0


def lost(count: int) -> tuple[str, ...]:
    """Why scores of so many stored pictures (edge/store/encoding.py) are not those of the line."""
    if not count:
        return ()
    return (
        f"{count} of the pictures lost something when they were stored as JPEG, and the line's"
        " scores are of the pictures before; storage.encoding: png keeps them whole",
    )


class Heap:
    """What is left out, gathered by reason, with a few examples of each."""

    def __init__(self) -> None:
        self._examples: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, why: str, example: str) -> None:
        """One more for this reason."""
        self._counts[why] = self._counts.get(why, 0) + 1
        examples = self._examples.setdefault(why, [])
        if len(examples) < EXAMPLES:
            examples.append(example)

    def left_out(self) -> tuple[LeftOut, ...]:
        """The reasons in the order of their first appearance."""
        return tuple(
            LeftOut(why, count, tuple(self._examples[why])) for why, count in self._counts.items()
        )


def fingerprint(samples: Samples) -> str:
    """A digest of the pictures' hashes, or of scores and truths where there are no pictures."""
    if samples.sha256:
        return hashlib.sha256("\n".join(sorted(samples.sha256)).encode()).hexdigest()
    digest = hashlib.sha256()
    for scores in (samples.good_scores, samples.defect_scores):
        digest.update(len(scores).to_bytes(8, "little"))
        digest.update(np.sort(scores).astype("<f8").tobytes())
    return digest.hexdigest()
