"""Which parts a model learns from, is calibrated on and is tested with: shared out. Pure.

A part gets its share once. A new one goes where its kind lacks most, so that each kind of defect is
shared out like all others; where two lack alike, a hash of the part's name decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Split = Literal["train", "calibration", "test"]
SPLITS: tuple[Split, ...] = ("train", "calibration", "test")
Counts = MutableMapping[str, dict[Split, int]]
"""Parts by stratum and split."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of a hundred parts go where; whole numbers that add up to 100."""

    train: int = 70
    calibration: int = 15
    test: int = 15

    def __post_init__(self) -> None:
        numbers = (self.train, self.calibration, self.test)
        if min(numbers) < 0 or sum(numbers) != 100:
            raise ValueError(f"{self}: expected three whole numbers that add up to 100")

    def __str__(self) -> str:
        return f"{self.train}/{self.calibration}/{self.test}"

    def of(self, split: Split) -> Fraction:
        """The share, exactly."""
        return Fraction(getattr(self, split), 100)


def parse_shares(text: str) -> Shares:
    """`70/15/15`: train, calibration, test. Raises ValueError with what is allowed."""
    parts = text.split("/")
    if len(parts) != len(SPLITS) or not all(part.strip().isdigit() for part in parts):
        raise ValueError(f"{text!r}: expected three whole numbers that add up to 100: 70/15/15")
    return Shares(*(int(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Part:
    """A part without a split: its name, and the kind of parts that it is one of."""

    key: str
    stratum: str


@dataclass(frozen=True, slots=True)
class Given:
    """A part's split and the stratum that it counts in."""

    split: Split
    stratum: str


def share_out(new: Iterable[Part], shares: Shares, counts: Counts) -> Iterator[tuple[Part, Split]]:
    """A split for each new part, in the order of their hashes; `counts` grows with it.

    The same parts are shared out alike, whatever order they come in. After each part, what a split
    has of a stratum differs from its share of that stratum by at most one part, if it did before.
    """
    for part in sorted(new, key=lambda part: (_hashed(part.key), part.key)):
        known = counts.setdefault(part.stratum, dict.fromkeys(SPLITS, 0))
        total = sum(known.values()) + 1

        def lacking(split: Split, part: Part = part, total: int = total) -> tuple[Fraction, str]:
            missing = shares.of(split) * total - counts[part.stratum][split]
            return missing, _hashed(part.key + split)

        allowed = [split for split in SPLITS if shares.of(split)]
        chosen = max(allowed, key=lacking)
        known[chosen] += 1
        yield part, chosen


def counted(given: Iterable[Given]) -> Counts:
    """Parts by stratum and split."""
    counts: Counts = {}
    for one in given:
        counts.setdefault(one.stratum, dict.fromkeys(SPLITS, 0))[one.split] += 1
    return counts


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
