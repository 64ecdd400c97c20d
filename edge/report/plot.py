"""The frame of a small chart in SVG: scales, ticks, axes. Pure.

Everything given to it is a number or a text of our own; texts are escaped all the same.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Scale = Callable[[float], float]
INK, FAINT, GRID = "#22303c", "#5d6b78", "#dfe5ea"
GOOD, DEFECT, ASK = "#2b6cb0", "#c2410c", "#b7791f"
GOOD_TINT, DEFECT_TINT, ASK_TINT = "#e6f0fa", "#fdece3", "#fdf6e3"


@dataclass(slots=True)
class Plot:
    """Shapes in a box of `width` × `height`, the plot inside margins; `x` and `y` give pixels."""

    width: float
    height: float
    x: Scale
    y: Scale
    left: float = 46.0
    top: float = 22.0
    right: float = 12.0
    bottom: float = 40.0
    shapes: list[str] = field(default_factory=list)

    @property
    def inner(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the plot."""
        return self.left, self.top, self.width - self.right, self.height - self.bottom

    def px(self, value: float) -> float:
        """From 0..1 of the scale to pixels."""
        left, _, right, _ = self.inner
        return left + self.x(value) * (right - left)

    def py(self, value: float) -> float:
        """From 0..1 of the scale to pixels, upwards."""
        _, top, _, bottom = self.inner
        return bottom - self.y(value) * (bottom - top)

    def box(self, x0: float, x1: float, y0: float, y1: float, fill: str) -> None:
        """A filled rectangle between four pixels."""
        self.shapes.append(
            f'<rect x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}" width="{abs(x1 - x0):.1f}"'
            f' height="{abs(y1 - y0):.1f}" fill="{fill}"/>'
        )

    def line(
        self, points: Iterable[tuple[float, float]], stroke: str, width: float = 1, dash: str = ""
    ) -> None:
        """A line through pixels."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{stroke}"'
            f' stroke-width="{width}" stroke-linejoin="round"{dashed}/>'
        )

    def area(self, points: Iterable[tuple[float, float]], fill: str, opacity: float) -> None:
        """A filled shape through pixels."""
        self.shapes.append(
            f'<polygon points="{_points(points)}" fill="{fill}" fill-opacity="{opacity}"/>'
        )

    def dot(self, x: float, y: float, fill: str) -> None:
        """A point with a white rim."""
        self.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="#fff"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        anchor: str = "middle",
        fill: str = FAINT,
        bold: bool = False,
    ) -> None:
        """Words at a pixel."""
        weight = ' font-weight="600"' if bold else ""
        self.shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{weight}>'
            f"{html.escape(words)}</text>"
        )

    def x_ticks(self, ticks: Iterable[tuple[float, str]], title: str) -> None:
        """Ticks below the plot, and what the axis means."""
        left, top, right, bottom = self.inner
        for value, words in ticks:
            at = self.px(value)
            self.line([(at, top), (at, bottom)], GRID, 0.6)
            self.text(at, bottom + 13, words)
        self.text((left + right) / 2, bottom + 30, title, fill=INK)

    def y_ticks(self, ticks: Iterable[tuple[float, str]]) -> None:
        """Ticks left of the plot."""
        left, _, right, _ = self.inner
        for value, words in ticks:
            at = self.py(value)
            self.line([(left, at), (right, at)], GRID, 0.6)
            self.text(left - 6, at + 3.5, words, "end")

    def svg(self, words: str) -> str:
        """The picture; `words` say to a screen reader what it shows."""
        shapes = "\n".join(self.shapes)
        return (
            f'<svg viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img"'
            f' aria-label="{html.escape(words)}" font-size="10">\n{shapes}\n</svg>'
        )


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
