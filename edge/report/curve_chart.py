"""A risk–coverage curve with its band and the cut that was chosen. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.decision.calibration import Bound
from edge.monitor.curve import Curve
from edge.report.numbers import asked
from edge.report.plot import FAINT, INK, Plot

WIDTH, HEIGHT = 330.0, 250.0
POINTS = 240


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where the cut of the calibration lies: coverage reached, and its bound."""

    coverage: float
    bound: Bound


def curve_chart(
    curve: Curve, chosen: Chosen | None, colour: str, across: str, upwards: str, floor: float
) -> str:
    """An SVG. The risk is logarithmic above `floor`; what is below it lies on the axis as 0."""
    bottom = 10.0 ** math.floor(math.log10(floor))
    decades = -math.log10(bottom)
    # the lowest tenth is for 0
    plot = Plot(
        WIDTH,
        HEIGHT,
        lambda x: x,
        lambda y: 0.0 if y < bottom else 0.1 + 0.9 * (1 + math.log10(y) / decades),
        left=52,
        right=18,
    )
    plot.x_ticks([(x / 4, f"{25 * x} %") for x in range(5)], across)
    powers = range(int(-decades), 1)
    plot.y_ticks([(0, "0"), *((10.0**power, _tick(power)) for power in powers)])
    plot.text(4, 12, upwards, "start", INK)
    _curve(plot, curve, colour)
    if chosen is not None:
        _chosen(plot, chosen, colour)
    left, top, right, low = plot.inner
    plot.line([(left, top), (left, low), (right, low)], FAINT, 0.8)
    return plot.svg(f"{upwards} against {across}, with an upper band for all cuts at once")


def _tick(power: int) -> str:
    return f"{100 * 10.0**power:g} %"


def _curve(plot: Plot, curve: Curve, colour: str) -> None:
    points = len(curve.coverage)
    every = max(1, points // POINTS)
    rows = [*range(0, points - 1, every), points - 1]
    seen: list[tuple[float, float]] = []
    bound: list[tuple[float, float]] = []
    for row in rows:
        # a step: up at the coverage reached so far, then on to the new one
        start = seen[-1][0] if seen else plot.px(float(curve.coverage[row]))
        x = plot.px(float(curve.coverage[row]))
        for line, value in ((seen, curve.risk[row]), (bound, curve.bound[row])):
            line += [(start, plot.py(float(value))), (x, plot.py(float(value)))]
    plot.area([*seen, *reversed(bound)], colour, 0.13)
    plot.line(bound, colour, 1, "3 2")
    plot.line(seen, colour, 1.8)


def _chosen(plot: Plot, chosen: Chosen, colour: str) -> None:
    left, _, right, _ = plot.inner
    x, bound = plot.px(chosen.coverage), chosen.bound
    if bound.target is not None:
        y = plot.py(bound.target)
        plot.line([(left, y), (right, y)], INK, 0.9, "6 3")
        words = f"target {asked(bound.target)}"
        at_left = chosen.coverage > 0.4
        plot.text(
            left + 4 if at_left else right - 4, y - 4, words, "start" if at_left else "end", INK
        )
    top, seen = plot.py(bound.upper_bound), plot.py(bound.observed)
    plot.line([(x, seen), (x, top)], INK, 1.4)
    plot.line([(x - 4, top), (x + 4, top)], INK, 1.4)
    plot.dot(x, seen, colour)
