"""Score histograms with the cuts: good parts upwards, defects downwards. Pure."""

from __future__ import annotations

import math

from edge.monitor.histogram import Histogram
from edge.report.numbers import count, short
from edge.report.plot import (
    ASK,
    ASK_TINT,
    DEFECT,
    DEFECT_TINT,
    GOOD,
    GOOD_TINT,
    INK,
    Plot,
)

WIDTH, HEIGHT = 680.0, 270.0


def histogram_chart(found: Histogram, cuts: tuple[float, float] | None) -> str:
    """An SVG. Heights are logarithmic, so that a few parts beside thousands are seen."""
    tallest = math.log10(1 + max(1, *found.good, *found.defect))
    plot = Plot(WIDTH, HEIGHT, lambda x: x, lambda y: 0.5 + 0.5 * y / tallest, top=30, bottom=38)
    if cuts is not None:
        _zones(plot, *cuts)
    _ticks(plot, tallest)
    zero = plot.py(0)
    steps = zip(found.edges, found.edges[1:], found.good, found.defect, strict=False)
    for left, right, good, defect in steps:
        x0, x1 = plot.px(left) + 0.5, plot.px(right) - 0.5
        if good:
            plot.box(x0, x1, zero, plot.py(math.log10(1 + good)), GOOD)
        if defect:
            plot.box(x0, x1, zero, plot.py(-math.log10(1 + defect)), DEFECT)
    plot.line([(plot.px(0), zero), (plot.px(1), zero)], INK, 0.8)
    if cuts is not None:
        _cuts(plot, *cuts)
    near = cuts is not None and any(abs(cut - 0.5) < 0.1 for cut in cuts)
    middle = plot.px(0.3 if near else 0.5)
    plot.text(
        middle, plot.inner[1] + 12, f"good parts ({count(sum(found.good))})", fill=GOOD, bold=True
    )
    words = f"defects ({count(sum(found.defect))})"
    plot.text(middle, plot.inner[3] - 6, words, fill=DEFECT, bold=True)
    return plot.svg("Histogram of the scores of good and defective parts with the cuts")


def _zones(plot: Plot, low: float, high: float) -> None:
    _, top, right, bottom = plot.inner
    first, second = plot.px(min(1.0, low)), plot.px(min(1.0, high))
    plot.box(plot.px(0), first, top, bottom, GOOD_TINT)
    plot.box(first, second, top, bottom, ASK_TINT)
    plot.box(second, right, top, bottom, DEFECT_TINT)


def _ticks(plot: Plot, tallest: float) -> None:
    plot.x_ticks([(x / 10, f"{x / 10:g}") for x in range(11)], "score")
    marks = [10**power for power in range(0, math.ceil(tallest))]
    ticks = [(math.log10(1 + mark), count(mark)) for mark in marks]
    plot.y_ticks([(0, "0"), *ticks, *((-at, words) for at, words in ticks)])


def _cuts(plot: Plot, low: float, high: float) -> None:
    _, top, _, bottom = plot.inner
    for cut in {min(1.0, low), min(1.0, high)}:
        plot.line([(plot.px(cut), top), (plot.px(cut), bottom)], INK, 1.2, "4 2")
    words = "accept", "ask a person", "reject"
    ends = (0.0, min(1.0, low), min(1.0, high), 1.0)
    for name, colour, left, right in zip(words, (GOOD, ASK, DEFECT), ends, ends[1:], strict=False):
        if plot.px(right) - plot.px(left) > 12 + 5.5 * len(name):
            plot.text((plot.px(left) + plot.px(right)) / 2, top - 5, name, fill=colour, bold=True)
    if 0 < low < high:
        plot.text(plot.px(low), top - 17, f"accept below {short(low)}", _anchor(low), INK)
    if low < high <= 1:
        plot.text(plot.px(high), top - 17, f"reject from {short(high)}", _anchor(high), INK)
    if low == high <= 1:
        words_both = f"accept below, reject from {short(low)}"
        plot.text(plot.px(low), top - 17, words_both, _anchor(low), INK)


def _anchor(cut: float) -> str:
    return "start" if cut < 0.15 else "end" if cut > 0.85 else "middle"
