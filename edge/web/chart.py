"""Parts over a period, as stacked bars: an SVG for people who would rather look than read. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from edge.report import numbers
from edge.report.plot import Plot
from edge.web.today import Bars

WIDE, NARROW, HEIGHT = 1160.0, 400.0, 240.0
COLOURS = ("#5ccf8e", "#ff9d92", "#ffc94d")
"""Accept, reject, escalate, as everywhere on the pages."""
GAP = 0.12
TICKS = 8
NICE = (1, 2, 5)


def bars_chart(
    bars: Bars,
    zone: tzinfo,
    now: float,
    words: str,
    width: float = WIDE,
    count: Callable[[float], str] = numbers.count,
) -> str:
    """An SVG; `words` say what it shows. The colours of axis and texts are the style sheet's.

    From the axis upwards: accepted, rejected, escalated.
    """
    span, begin = bars.span.end - bars.span.begin, bars.span.begin
    top = _nice(max([sum(one) for one in bars.counts], default=0))
    plot = Plot(
        width, HEIGHT, lambda t: (t - begin) / span, lambda n: n / top, bottom=26, top=12, right=20
    )
    hours = max(1, round(span / 3600 / (TICKS if width > NARROW else TICKS / 2)))
    ticks = [begin + 3600 * hour for hour in range(0, int(span // 3600) + 1, hours)]
    plot.x_ticks([(t, f"{datetime.fromtimestamp(t, zone):%H:%M}") for t in ticks], "")
    plot.y_ticks([(top * share, count(top * share)) for share in (0, 0.5, 1)])
    for place, counts in enumerate(bars.counts):
        left = begin + place * bars.step_s
        right = min(left + bars.step_s, bars.span.end)
        gap = GAP * (right - left)
        height = 0.0
        for number, colour in zip(counts, COLOURS, strict=True):
            if number:
                x0, x1 = plot.px(left + gap), plot.px(right - gap)
                plot.box(x0, x1, plot.py(height), plot.py(height + number), colour)
                height += number
    _, upper, _, low = plot.inner
    plot.line([(plot.px(now), upper), (plot.px(now), low)], "#8cc5ff", 1.2, "4 3")
    return plot.svg(words)


def _nice(most: float) -> float:
    """The next of 2, 4, 10, 20, 40, 100 …: half of it is a whole number too."""
    size = 2.0
    while True:
        for factor in NICE:
            if size * factor >= most:
                return size * factor
        size *= 10
