"""What is there of a chain, what is missing, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Range = tuple[int, int]
"""First and last number."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the station itself says of one chain: how many it has recorded, how far it believes to
    have delivered, and whose word that is (`broker`, or the store of a collector)."""

    recorded: int
    delivered: int
    by: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """Numbers of one chain: `recorded` = `held` + the sum of `gone` + `waiting` + `missing`.

    `gone` counts by reason what the station said will not come. `waiting` is still at the station.
    `missing` is what nobody can account for: the station believes it delivered and does not send it
    again by itself, or does not speak of this chain any more. `missing_ranges` says which.
    """

    recorded: int
    held: int
    gone: Mapping[str, int]
    waiting: int
    missing: int
    missing_ranges: tuple[Range, ...]


def apart(ranges: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The same numbers without overlap; of two reasons for a number the earlier one counts."""
    found: list[tuple[int, int, str]] = []
    for first, last, why in ranges:
        free = [(first, last)]
        for low, high, _ in found:
            free = [piece for one in free for piece in _without(one, (low, high))]
        found += [(low, high, why) for low, high in free]
    return sorted(found)


def account(
    through: int,
    ahead: Sequence[Range],
    gone: Mapping[str, int],
    word: Word | None,
) -> Account:
    """Add it up. `gone` counts only numbers that are not held; `through` and the ranges `ahead`
    cover what is held and what is gone. Without a word of the station whatever lies between was
    left behind."""
    covered = through + sum(last - first + 1 for first, last in ahead)
    highest = max([through, *(last for _, last in ahead)])
    recorded = max(highest, word.recorded if word else 0)
    believed = min(word.delivered, recorded) if word else recorded
    missing = [
        piece
        for first, last in _holes(through, ahead, recorded)
        for piece in [(first, min(last, believed))]
        if piece[0] <= piece[1]
    ]
    count = sum(last - first + 1 for first, last in missing)
    held = covered - sum(gone.values())
    return Account(recorded, held, dict(gone), recorded - covered - count, count, tuple(missing))


def _holes(through: int, ahead: Sequence[Range], recorded: int) -> list[Range]:
    holes, seq = [], through
    for first, last in sorted(ahead):
        if first > seq + 1:
            holes.append((seq + 1, first - 1))
        seq = max(seq, last)
    return [*holes, (seq + 1, recorded)] if recorded > seq else holes


def _without(one: Range, other: Range) -> list[Range]:
    first, last = one
    low, high = other
    if high < first or last < low:
        return [one]
    return [piece for piece in ((first, low - 1), (high + 1, last)) if piece[0] <= piece[1]]
