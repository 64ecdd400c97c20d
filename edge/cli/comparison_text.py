"""A comparison of two models for people, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.report.numbers import percent, short
from edge.rollout.comparison import DECISIONS, Change, Part, Truths, differing

if TYPE_CHECKING:
    from edge.monitor.share import Share
    from edge.rollout.comparing import Compared

SHOWN = 12


def lines(found: Compared) -> Iterator[str]:
    """Everything, in the order of what matters."""
    figures = found.figures
    yield f"first   {found.first}: {found.first.by}"
    yield f"second  {found.second}: {found.second.by}"
    yield f"{found.source}: {figures.n:,} parts" + (
        f", the newest of {found.seen:,}" if found.seen > figures.n else ""
    )
    if found.broken is not None:
        yield f"the second has to go: {found.broken}"
    if not figures.compared:
        yield "on no part both had cuts, so decisions cannot be compared"
    else:
        if figures.compared < figures.n:
            yield f"both had cuts for {figures.compared:,} of them"
        yield from _decisions(found)
    if figures.truths is not None:
        yield from _truths(figures.truths)
    if figures.times is not None:
        times = figures.times
        yield (
            f"an inference takes {times.first_p50:.2f} ms and {times.second_p50:.2f} ms in the"
            f" middle, {times.first_p99:.2f} and {times.second_p99:.2f} ms at p99; the second takes"
            f" {times.ratio:.2f} times as long ({times.low:.2f} to {times.high:.2f})"
        )
    if any(figures.faults):
        yield f"no answer: {figures.faults[0]:,} times the first, {figures.faults[1]:,} the second"
    parts = differing(found.parts)
    for part in parts[:SHOWN]:
        yield _differs(part)
    if len(parts) > SHOWN:
        yield f"  … and {len(parts) - SHOWN:,} more (--json, --report FILE.html)"


def _decisions(found: Compared) -> Iterator[str]:
    figures = found.figures
    yield f"{'first ↓   second →':<20}" + "".join(f"{word:>10}" for word in DECISIONS)
    for row in DECISIONS:
        counts = "".join(f"{figures.table[row, column]:>10,}" for column in DECISIONS)
        yield f"  {row:<18}{counts}"
    yield f"only the second accepts  {_share(figures.permissive)}"
    yield f"only the first accepts   {_share(figures.stricter)}"
    yield f"asked of persons         {_change(figures.escalated)}"
    yield f"rejected                 {_change(figures.rejected)}"


def _truths(truths: Truths) -> Iterator[str]:
    n = truths.first.good.n + truths.first.defect.n
    yield f"of {n:,} parts of known truth, {truths.first.defect.n:,} of them defects:"
    for word, one in (("first", truths.first), ("second", truths.second)):
        yield (
            f"  {word:<7} accepts {_share(one.escapes())} of the defects,"
            f" rejects {_share(one.overkill())} of the good parts"
        )
    yield (
        f"  wrong alone: the first {truths.only_first_wrong:,}, the second"
        f" {truths.only_second_wrong:,} (p = {truths.p:.2g} if they were as good as each other)"
    )


def _differs(part: Part) -> str:
    truth = "" if part.defect is None else "  defect" if part.defect else "  good"
    both = [
        f"{one.would_be} {short(one.score) if one.score is not None else one.fault}"
        for one in (part.first, part.second)
    ]
    return f"  {part.name}  {both[0]} → {both[1]}{truth}"


def _share(share: Share) -> str:
    if not share.n:
        return "none of 0"
    ends = f"{percent(share.low)} to {percent(share.high)}"
    return f"{percent(share.value)} ({ends}; {share.count:,} of {share.n:,})"


def _change(change: Change) -> str:
    ends = f"{signed(change.low)} to {signed(change.high)}"
    return (
        f"{percent(change.first.value)} → {percent(change.second.value)}"
        f" ({signed(change.difference)}; {ends})"
    )


def signed(share: float | None) -> str:
    """A difference of shares, with its sign."""
    if share is None or share == 0:
        return percent(share)
    return f"{'+' if share > 0 else '−'}{percent(abs(share))}"
