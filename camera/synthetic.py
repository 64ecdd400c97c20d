"""The simulated inspection line as a source of pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2

from camera.decode import decode
from camera.frame import NO_TAGS, Doubt, Frame, Image
from camera.simulated.options import Fault, SyntheticOptions
from camera.simulated.parts import render
from camera.simulated.plan import Part, plan
from camera.simulated.textures import textures
from camera.source import CameraError, Clock, Source

__all__ = ["Fault", "SyntheticOptions", "SyntheticSource"]

TIME_OUT_S = 1.0
"""How long a stalled reading waits before it fails."""
BEHIND_S = 1.0
"""A live line that is later than this starts its timetable anew."""
JPEG_QUALITY = 92
LOOKS = 1
"""Number of the drawing; it rises when the parts are drawn differently."""


class SyntheticSource(Source):
    """Parts on a simulated line, with known truth; options as in SyntheticOptions.

    Part `n` of seed `s` has the same pixels whatever was read before. Each part comes once and in
    order, also across `close` and `open`. Frames have `number` = the part's number, `part_id`
    "R-000123" (None: no part there), the part's `truth`, and a tag `simulated` where the picture
    is not an ordinary one (`empty`, `black`, `blown_out`, `freeze`, `truncate`). A JPEG cut short
    comes with its bytes and a doubt, as from any source. A live line waits with `wait(seconds)`
    until a part is due by the `clock`.
    """

    def __init__(
        self,
        options: SyntheticOptions | None = None,
        *,
        clock: Clock | None = None,
        wait: Callable[[float], object] = time.sleep,
        **changes: Any,
    ) -> None:
        """`changes` are single options by name, on top of `options`.

        Raises ValueError for a value that is not possible, TypeError for an unknown name.
        """
        self.options = replace(options or SyntheticOptions(), **changes)
        self.live = self.options.parts_per_second > 0
        self._clock = clock or Clock()
        self._wait = wait
        self._next = self.options.first
        self._due_ns: int | None = None
        self._failures: dict[Fault, int] = {}
        self._opened = False

    def open(self) -> None:
        """Start, or go on with the next part. Raises CameraError while a `gone` fault lasts."""
        self._fail("gone", "the simulated camera is not there")
        textures(self.options.width, self.options.height)  # drawn now, so that no part waits
        self._due_ns = None
        self._opened = True

    def read(self) -> Frame | None:
        """The next part; None behind the last one. Raises CameraError for `gone` and `stall`."""
        if not self._opened:
            raise CameraError("the simulated camera is not open", "call open() first")
        if self._is_finished():
            return None
        self._fail("gone", "the simulated camera is gone")
        if self._is_hit("stall"):
            self._wait(TIME_OUT_S)
            self._fail("stall", f"the simulated camera gave no picture within {TIME_OUT_S:g} s")
        self._wait_until_due()
        number = self._next
        self._next += 1
        return self._frame(number)

    def close(self) -> None:
        """Stop; the next part stays the next part."""
        self._opened = False

    def view(self) -> dict[str, object]:
        """Kind, size, lighting and file format; not which parts come, how often or how fast."""
        options = self.options
        return {
            "source": "synthetic",
            "looks": LOOKS,
            "width": options.width,
            "height": options.height,
            "brightness": options.brightness,
            "jpeg_quality": JPEG_QUALITY if options.encode else None,
        }

    def _is_finished(self) -> bool:
        limit = self.options.limit
        return limit is not None and self._next >= self.options.first + limit

    def _is_hit(self, kind: str) -> bool:
        """Whether a fault of this kind is due now and has failed less than `count` times."""
        return any(
            fault.kind == kind
            and fault.at == self._next
            and self._failures.get(fault, 0) < fault.count
            for fault in self.options.faults
        )

    def _fail(self, kind: str, message: str) -> None:
        for fault in self.options.faults:
            failures = self._failures.get(fault, 0)
            if fault.kind == kind and fault.at == self._next and failures < fault.count:
                self._failures[fault] = failures + 1
                self._opened = False
                raise CameraError(
                    f"{message} (fault {failures + 1} of {fault.count} at part {fault.at})",
                    "it is simulated and comes back by itself",
                )

    def _wait_until_due(self) -> None:
        """Keep the line's pace. Parts wait on the belt: a late reader loses none."""
        if not self.live:
            return
        now = self._clock.monotonic_ns()
        if self._due_ns is None or now - self._due_ns > BEHIND_S * 1e9:
            self._due_ns = now
        if self._due_ns > now:
            self._wait((self._due_ns - now) / 1e9)
        self._due_ns += round(1e9 / self.options.parts_per_second)

    def _frame(self, number: int) -> Frame:
        part = self._part(number)
        frozen, truncated = self._touched("freeze", number), self._touched("truncate", number)
        image: Image | None = self._picture(frozen.at - 1 if frozen else number)
        encoded: bytes | None = None
        doubts: tuple[Doubt, ...] = ()
        if image is not None and (self.options.encode or truncated):
            encoded = _jpeg(image)
            encoded = encoded[: len(encoded) // 2] if truncated else encoded
            image, doubts = decode(encoded)
        tag = "truncate" if truncated else "freeze" if frozen else part.condition
        return Frame(
            image=image,
            monotonic_ns=self._clock.monotonic_ns(),
            captured_at=self._clock.wall(),
            number=number,
            encoded=encoded,
            part_id=None if part.condition == "empty" else f"R-{number:06d}",
            truth=part.truth,
            tags=NO_TAGS if tag == "part" else {"simulated": tag},
            doubts=doubts,
        )

    def _part(self, number: int) -> Part:
        return plan(self.options.seed, number, self.options)

    def _picture(self, number: int) -> Image:
        return render(self._part(number), self.options.width, self.options.height)

    def _touched(self, kind: str, number: int) -> Fault | None:
        for fault in self.options.faults:
            if fault.kind == kind and fault.covers(number):
                return fault
        return None


def _jpeg(image: Image) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise CameraError("the simulated picture could not be encoded as JPEG")
    return data.tobytes()
