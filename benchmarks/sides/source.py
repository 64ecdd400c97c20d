"""A live source that gives decoded pictures at a pace."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.sides.bare import decoder


def paced(pictures: str, view: dict[str, object], pace: float, more: Callable[[int], bool]) -> Any:
    """So many a second, as long as `more` says so of the number that were given; where `pace` is 0
    it is no live one, and gives the next as soon as it is taken."""
    from camera.frame import Frame
    from camera.source import Source

    decode = decoder()
    images = [decode(path.read_bytes()) for path in sorted(Path(pictures).glob("*.jpg"))[:16]]

    class Paced(Source):
        live = pace > 0
        number = 0
        tick = 0.0

        def open(self) -> None:
            self.tick = time.monotonic()

        def close(self) -> None: ...

        def view(self) -> dict[str, object]:
            return view

        def read(self) -> Frame | None:
            if not more(self.number):
                return None
            if pace > 0:
                self.tick += 1 / pace
                time.sleep(max(0.0, self.tick - time.monotonic()))
            image = images[self.number % len(images)].copy()
            self.number += 1
            return Frame(image, time.monotonic_ns(), time.time(), self.number)

    return Paced()
