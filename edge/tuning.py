"""What a person watches while setting up a camera: a few numbers for each picture."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from camera.frame import Frame, Roi
from camera.quality import Limits, doubts, measure

WINDOW = 30
BAR = 30


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture's numbers, of the region of interest. Times in ms, rate in pictures a second.

    `sharpest` is the largest sharpness seen so far: turn the lens until `sharpness` is there.
    """

    number: int
    width: int
    height: int
    sharpness: float
    sharpest: float
    brightness: float
    contrast: float
    clipped: float
    rate: float | None
    latency_ms: float
    doubts: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """For `--json`, rounded as far as a person can use it."""
        return {
            "number": self.number,
            "width": self.width,
            "height": self.height,
            "sharpness": round(self.sharpness, 2),
            "sharpest": round(self.sharpest, 2),
            "brightness": round(self.brightness, 1),
            "contrast": round(self.contrast, 1),
            "clipped": round(self.clipped, 4),
            "rate": None if self.rate is None else round(self.rate, 2),
            "latency_ms": round(self.latency_ms, 1),
            "doubts": list(self.doubts),
        }


@dataclass(slots=True)
class Tuner:
    """Makes readings of pictures that follow each other."""

    roi: Roi | None
    limits: Limits
    sharpest: float = 0.0
    _times: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def read(self, frame: Frame, now_ns: int) -> Reading | None:
        """The numbers of a picture at the time `now_ns`; None for one that could not be decoded."""
        if frame.image is None:
            return None
        height, width = frame.image.shape[:2]
        found = [doubt.name for doubt in frame.doubts]
        image = frame.image
        if self.roi is not None and self.roi.fits(image):
            image = self.roi.crop(image)
        elif self.roi is not None:
            found.append("wrong_size")
        measures = measure(image)
        found += [doubt.name for doubt in doubts(measures, self.limits)]
        self.sharpest = max(self.sharpest, measures.sharpness)
        self._times.append(frame.monotonic_ns)
        return Reading(
            number=frame.number,
            width=int(width),
            height=int(height),
            sharpness=measures.sharpness,
            sharpest=self.sharpest,
            brightness=measures.brightness,
            contrast=measures.contrast,
            clipped=measures.clipped,
            rate=self._rate(),
            latency_ms=max(0, now_ns - frame.monotonic_ns) / 1e6,
            doubts=tuple(found),
        )

    def _rate(self) -> float | None:
        span_ns = self._times[-1] - self._times[0]
        return None if span_ns <= 0 else (len(self._times) - 1) / (span_ns / 1e9)


def line(reading: Reading) -> str:
    """A reading in one line of a terminal, with a bar that is full at the sharpest so far."""
    share = reading.sharpness / reading.sharpest if reading.sharpest else 0.0
    filled = round(BAR * share)
    bar = "#" * filled + "." * (BAR - filled)
    rate = "  -  " if reading.rate is None else f"{reading.rate:5.1f}"
    trouble = f"  ! {', '.join(reading.doubts)}" if reading.doubts else ""
    return (
        f"sharpness {reading.sharpness:6.1f} [{bar}] best {reading.sharpest:6.1f}"
        f"  brightness {reading.brightness:5.1f}  clipped {reading.clipped:6.2%}"
        f"  {rate}/s  latency {reading.latency_ms:6.1f} ms{trouble}"
    )
