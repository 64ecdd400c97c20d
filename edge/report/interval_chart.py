"""Differences of shares with their intervals, one below the other. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.report.plot import DEFECT, FAINT, GRID, INK, Plot

WIDTH, ROW = 680.0, 30.0
LEFT = 140.0


@dataclass(frozen=True, slots=True)
class Row:
    """One difference, -1 to 1; `value` None where there is nothing to show."""

    words: str
    value: float | None
    low: float
    high: float


def interval_chart(rows: Sequence[Row], across: str) -> str:
    """An SVG: a dot and a line for each row, around 0."""
    reach = _reach([end for row in rows if row.value is not None for end in (row.low, row.high)])
    height = 24 + ROW * len(rows) + 40
    plot = Plot(
        WIDTH,
        height,
        lambda x: (x + reach) / (2 * reach),
        lambda y: y,
        left=LEFT,
        top=10,
        right=24,
    )
    _, top, _, bottom = plot.inner
    ticks = [-reach, -reach / 2, 0.0, reach / 2, reach]
    plot.x_ticks([(tick, _percent(tick)) for tick in ticks], across)
    zero = plot.px(0)
    plot.line([(zero, top), (zero, bottom)], FAINT, 1)
    for number, row in enumerate(rows):
        y = top + ROW * (number + 0.7)
        plot.text(LEFT - 10, y + 3.5, row.words, "end", INK)
        if row.value is None:
            plot.text(zero, y + 3.5, "nothing to compare")
            continue
        plot.line([(LEFT, y), (WIDTH - 24, y)], GRID, 0.6)
        plot.line([(plot.px(row.low), y), (plot.px(row.high), y)], DEFECT, 3)
        plot.dot(plot.px(row.value), y, DEFECT)
    told = "; ".join(
        f"{row.words} {_percent(row.value)}, {_percent(row.low)} to {_percent(row.high)}"
        for row in rows
        if row.value is not None
    )
    return plot.svg(f"{across}: {told}")


def _reach(ends: Sequence[float]) -> float:
    """The end of the scale: 1, 2 or 5 with zeros, or all."""
    widest = max((abs(end) for end in ends), default=1.0) or 0.001
    power = 10.0 ** math.floor(math.log10(widest))
    return min(1.0, next(step * power for step in (1, 2, 5, 10) if step * power >= widest))


def _percent(share: float) -> str:
    sign = "+" if share > 0 else "−" if share < 0 else ""
    return f"{sign}{abs(100 * share):.3g} %"
