"""What can be set on the simulated line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFECT_TYPES = ("dent", "missing", "scratch", "stain")
FAULT_KINDS = ("gone", "stall", "freeze", "truncate")
LARGEST_NUMBER = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with the camera when part `at` is due.

    `gone`: the camera is lost; that reading and the next `count` - 1 openings fail.
    `stall`: `count` readings in a row time out.
    `freeze`: parts `at` to `at + count - 1` show the picture of the part before them.
    `truncate`: the JPEG bytes of those parts end in the middle.
    No part is skipped by `gone` and `stall`: the line waits for its camera.
    """

    kind: str
    at: int
    count: int = 1

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"fault kind {self.kind!r} is not one of {', '.join(FAULT_KINDS)}")
        if self.at < 1 or self.count < 1:
            raise ValueError(
                f"fault {self.kind}: at ({self.at}) and count ({self.count}) must be 1 or more"
            )

    def covers(self, number: int) -> bool:
        """Whether the part with this number is one of those that the fault touches."""
        return self.at <= number < self.at + self.count


@dataclass(frozen=True, slots=True)
class SyntheticOptions:
    """The simulated line: all of it, so that equal options give equal pictures.

    `seed`, 0 or more, chooses the parts; two seeds share none. `parts_per_second` 0 means as
    fast as asked, otherwise the source is live. `defect_rate` is the share of parts with a defect,
    `defect_weights` how often each type occurs among them (a type left out does not occur).
    `severity` 0..1: the range from which a defect's severity is drawn, 0 hardly visible, 1 clear.
    `brightness` is the factor of the lighting, `drift` how much it changes in 1,000 parts
    (-0.1: a tenth darker). Every `empty_every`-th picture is the empty fixture, every
    `black_every`-th has no light, every `blown_out_every`-th far too much; 0 means never.
    `first` is the first part's number, `limit` how many there are (None: no end). `encode` gives
    the pictures as JPEG files, as many cameras do; the pixels are then those of the file.
    """

    seed: int = 1
    width: int = 640
    height: int = 480
    parts_per_second: float = 0.0
    defect_rate: float = 0.05
    defect_weights: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(DEFECT_TYPES, 1.0)
    )
    severity: tuple[float, float] = (0.0, 1.0)
    brightness: float = 1.0
    drift: float = 0.0
    empty_every: int = 0
    black_every: int = 0
    blown_out_every: int = 0
    faults: tuple[Fault, ...] = ()
    first: int = 1
    limit: int | None = None
    encode: bool = False

    def __post_init__(self) -> None:
        self._check_numbers()
        unknown = sorted(set(self.defect_weights) - set(DEFECT_TYPES))
        if unknown:
            raise ValueError(f"defect type {unknown[0]!r} is not one of {', '.join(DEFECT_TYPES)}")
        weights = self.defect_weights.values()
        if any(weight < 0 for weight in weights) or not sum(weights) > 0:
            raise ValueError("defect_weights must be 0 or more, and one of them above 0")

    def _check_numbers(self) -> None:
        low, high = self.severity
        checks = {
            f"seed ({self.seed}) must be 0 or more": self.seed >= 0,
            f"size ({self.width} x {self.height}) must be 64 x 64 to 8192 x 8192": all(
                64 <= side <= 8192 for side in (self.width, self.height)
            ),
            f"parts_per_second ({self.parts_per_second}) must be 0 to 1000": 0
            <= self.parts_per_second
            <= 1000,
            f"defect_rate ({self.defect_rate}) must be 0 to 1": 0 <= self.defect_rate <= 1,
            f"severity ({low} to {high}) must be a range in 0 to 1": 0 <= low <= high <= 1,
            f"drift ({self.drift}) must be a number from -100 to 100": -100 <= self.drift <= 100,
            f"brightness ({self.brightness}) must be above 0, at most 10": 0
            < self.brightness
            <= 10,
            "empty_every, black_every and blown_out_every must be 0 or more": min(
                self.empty_every, self.black_every, self.blown_out_every
            )
            >= 0,
            f"first ({self.first}) must be 1 to {LARGEST_NUMBER}": 1
            <= self.first
            <= LARGEST_NUMBER,
            f"limit ({self.limit}) must be 0 or more": self.limit is None or self.limit >= 0,
        }
        for message, holds in checks.items():
            if not holds:
                raise ValueError(message)
