"""What one part is like, before a pixel is drawn. Pure: everything follows from the numbers."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from camera.simulated.options import DEFECT_TYPES, LARGEST_NUMBER, SyntheticOptions
from camera.simulated.textures import HOLE, HOLE_ANGLES, INNER, LIGHT_ANGLES, METALS, OUTER, PITCH

CONDITIONS = ("part", "empty", "black", "blown_out")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the metal: where (polar, from the part's middle), how large, how strong.

    `kind` is a defect type or `dust`; `strength` in grey levels (a share for `missing`, `stain`).
    Lengths in 1/480 of the drawn square's side, angles in degrees in the part's own frame.
    """

    kind: str
    radius: float
    angle: float
    size: float
    width: float
    direction: float
    bend: float
    strength: float


@dataclass(frozen=True, slots=True)
class Part:
    """One part and the light it lies in.

    `defect` is its type or None, `severity` 0..1, `flaws` the marks that make it a defect;
    `blemishes` are what good parts have too.
    """

    condition: str
    defect: str | None
    severity: float
    blemishes: tuple[Mark, ...]
    flaws: tuple[Mark, ...]
    metal: int
    rotation: float
    shift: tuple[float, float]
    scale: float
    light: int
    gain: float
    warmth: float
    noise: float
    noise_at: tuple[float, float]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Everything on the metal, in the order of drawing."""
        return self.blemishes + self.flaws

    @property
    def truth(self) -> str | None:
        """What a person with the part in hand would say; None for the empty fixture."""
        if self.condition == "empty":
            return None
        return "good" if self.defect is None else f"defect/{self.defect}"


def plan(seed: int, number: int, options: SyntheticOptions) -> Part:
    """The part with this number of the line with this seed.

    Two different (seed, number) draw from different random streams. The condition, the brightness
    and the size of the picture do not change which part it is.
    """
    if not 0 <= number <= LARGEST_NUMBER:
        raise ValueError(f"part number {number} is not in 0 to {LARGEST_NUMBER}")
    dice = random.Random((seed << 32) + number)
    defect = _defect(dice, options)
    severity = dice.uniform(*options.severity)
    blemishes = _blemishes(dice)
    flaws = () if defect is None else _flaws(dice, defect, severity)
    gain = options.brightness * dice.uniform(0.88, 1.12)
    gain *= max(0.05, 1.0 + options.drift * number / 1000.0)
    return Part(
        condition=_condition(number, options),
        defect=defect,
        severity=severity if flaws else 0.0,
        blemishes=blemishes,
        flaws=flaws,
        metal=dice.randrange(METALS),
        rotation=dice.uniform(0, 360),
        shift=(dice.gauss(0, 3.5), dice.gauss(0, 3.5)),
        scale=dice.uniform(0.988, 1.012),
        light=dice.randrange(len(LIGHT_ANGLES)),
        gain=gain,
        warmth=dice.uniform(-0.03, 0.03),
        noise=dice.uniform(0.6, 1.4),
        noise_at=(dice.random(), dice.random()),
    )


def _condition(number: int, options: SyntheticOptions) -> str:
    every = (options.empty_every, options.black_every, options.blown_out_every)
    for condition, period in zip(CONDITIONS[1:], every, strict=True):
        if period and number % period == 0:
            return condition
    return "part"


def _defect(dice: random.Random, options: SyntheticOptions) -> str | None:
    """The type, or None. Always two numbers are drawn, so that the rate changes nothing else."""
    has_one, which = dice.random() < options.defect_rate, dice.random()
    if not has_one:
        return None
    weights = [options.defect_weights.get(kind, 0.0) for kind in DEFECT_TYPES]
    left = which * sum(weights)
    for kind, weight in zip(DEFECT_TYPES, weights, strict=True):
        left -= weight
        if left < 0:
            return kind
    return max(zip(weights, DEFECT_TYPES, strict=True))[1]


def _place(dice: random.Random, margin: float) -> tuple[float, float]:
    """A spot on the face, `margin` from both edges and outside the holes."""
    while True:
        low, high = INNER + 8 + margin, OUTER - 10 - margin
        radius, angle = dice.uniform(low, high), dice.uniform(0, 360)
        if all(_apart(radius, angle, hole) > HOLE + 6 + margin for hole in HOLE_ANGLES):
            return radius, angle


def _apart(radius: float, angle: float, hole: float) -> float:
    turn = math.radians(angle - hole)
    return math.sqrt(radius**2 + PITCH**2 - 2 * radius * PITCH * math.cos(turn))


def _blemishes(dice: random.Random) -> tuple[Mark, ...]:
    """What good parts have too: dust, hairlines, a trace of oil, holes that are not quite alike."""
    marks = []
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        radius, angle = _place(dice, 0)
        strength = dice.uniform(15, 60) * dice.choice((-1, 1))
        marks.append(Mark("dust", radius, angle, dice.uniform(0.8, 1.6), 1, 0, 0, strength))
    if dice.random() < 0.30:
        marks.append(_scratch(dice, dice.uniform(5, 16)))
    if dice.random() < 0.20:
        marks.append(_stain(dice, dice.uniform(0.02, 0.06)))
    if dice.random() < 0.15:
        marks.append(_dent(dice, dice.uniform(4, 12)))
    for hole in HOLE_ANGLES:
        marks.append(_missing(hole, dice.uniform(0.0, 0.12)))
    return tuple(marks)


def _flaws(dice: random.Random, kind: str, severity: float) -> tuple[Mark, ...]:
    if kind == "scratch":
        strokes = dice.choice((1, 1, 1, 2))
        return tuple(_scratch(dice, 24 + 86 * severity) for _ in range(strokes))
    if kind == "dent":
        return (_dent(dice, 14 + 75 * severity),)
    if kind == "stain":
        return (_stain(dice, 0.07 + 0.45 * severity),)
    return (_missing(dice.choice(HOLE_ANGLES), 0.16 + 0.84 * severity),)


def _scratch(dice: random.Random, strength: float) -> Mark:
    radius, angle = _place(dice, 8)
    length, width = dice.uniform(35, 95), dice.uniform(1.8, 3.6)
    # most are bright, where the tool or a chip cut through the surface
    sign = dice.choice((1, 1, 1, -1))
    turn, bend = dice.uniform(0, 180), dice.uniform(-0.15, 0.15)
    return Mark("scratch", radius, angle, length, width, turn, bend, sign * strength)


def _dent(dice: random.Random, strength: float) -> Mark:
    radius, angle = _place(dice, 12)
    return Mark("dent", radius, angle, dice.uniform(7, 14), dice.uniform(0.7, 1), 0, 0, strength)


def _stain(dice: random.Random, strength: float) -> Mark:
    radius, angle = _place(dice, 10)
    size, turn = dice.uniform(11, 24), dice.uniform(0, 180)
    return Mark("stain", radius, angle, size, dice.uniform(0.5, 1), turn, dice.random(), strength)


def _missing(hole: float, strength: float) -> Mark:
    return Mark("missing", PITCH, hole, HOLE + 8, 0, 0, 0, strength)
