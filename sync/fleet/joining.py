"""How far a chain is held when its pieces come in any order. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sync import chain


@dataclass(frozen=True, slots=True)
class Span:
    """Records `first` to `last`, without a gap; the hash before them, and that of `last`.

    None where nobody knows it: a station may have deleted what stood there.
    """

    first: int
    last: int
    previous_hash: str | None
    hash: str | None

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class Clash(NamedTuple):
    """Two pieces in a row that do not fit: the hash that `upper` follows is not that of `lower`."""

    lower: Span
    upper: Span


@dataclass(slots=True)
class Added:
    """What became of a piece: whether it was taken, which neighbours did not fit, and which spans
    ahead were dropped for it."""

    taken: bool = True
    clashes: list[Clash] = field(default_factory=list)
    dropped: list[Span] = field(default_factory=list)


class Joining:
    """The gapless beginning of a chain, and the spans ahead of it: in order, apart, not touching
    where they fit.

    `through` never goes back. What is joined to it leads from record 1 on to `hash`.
    """

    def __init__(
        self, through: int = 0, last: str = chain.GENESIS, ahead: tuple[Span, ...] = ()
    ) -> None:
        self.through = through
        self.hash = last
        self.ahead = list(ahead)

    @property
    def beginning(self) -> Span:
        """The gapless beginning; its `last` is 0 before the first record."""
        return Span(1, self.through, chain.GENESIS, self.hash)

    def overlapped(self, first: int, last: int) -> list[Span]:
        """What is held already and shares a record with `first` to `last`."""
        below = [self.beginning] if first <= self.through else []
        return below + [span for span in self.ahead if span.first <= last and first <= span.last]

    def add(self, span: Span) -> Added:
        """Join a piece.

        The caller has compared it with the records that it overlaps. A piece that does not follow
        the gapless beginning is not taken. A span ahead that turns out not to follow it is dropped,
        so that it cannot be in the way of what does. Two spans ahead that do not fit are both kept
        until the beginning reaches them.
        """
        if span.first == self.through + 1 and not _fits(self.hash, span.previous_hash):
            return Added(False, [Clash(self.beginning, span)])
        added = Added()
        if span.last > self.through:
            added.clashes = self._insert(span)
            while self.ahead and self._join_first(added):
                pass
        return added

    def _join_first(self, added: Added) -> bool:
        """Join or drop the first span ahead, if the beginning has reached it."""
        upper = self.ahead[0]
        if upper.first > self.through + 1:
            return False
        if upper.first == self.through + 1 and not _fits(self.hash, upper.previous_hash):
            added.clashes = [clash for clash in added.clashes if clash.upper != upper]
            added.clashes.append(Clash(self.beginning, upper))
            added.dropped.append(upper)
        elif upper.hash is None:
            return False  # without its hash the chain cannot go on: what follows it will tell
        else:
            self.through, self.hash = upper.last, upper.hash
        del self.ahead[0]
        return True

    def _insert(self, span: Span) -> list[Clash]:
        """Put it between the spans ahead, grown together with those that it overlaps or fits."""
        clashes = []
        index = bisect_left([one.first for one in self.ahead], span.first)
        while index > 0 and self.ahead[index - 1].last >= span.first - 1:
            lower = self.ahead[index - 1]
            if lower.last == span.first - 1 and not _fits(lower.hash, span.previous_hash):
                clashes.append(Clash(lower, span))
                break
            index -= 1
            del self.ahead[index]
            span = _together(lower, span)
        while index < len(self.ahead) and self.ahead[index].first <= span.last + 1:
            upper = self.ahead[index]
            if upper.first == span.last + 1 and not _fits(span.hash, upper.previous_hash):
                clashes.append(Clash(span, upper))
                break
            del self.ahead[index]
            span = _together(span, upper)
        self.ahead.insert(index, span)
        return clashes


def _fits(lower: str | None, upper: str | None) -> bool:
    return lower is None or upper is None or lower == upper


def _together(lower: Span, upper: Span) -> Span:
    """`lower` begins first."""
    if upper.last <= lower.last:
        known = upper.hash if upper.last == lower.last and lower.hash is None else lower.hash
        return replace(lower, hash=known)
    return Span(lower.first, upper.last, lower.previous_hash, upper.hash)
