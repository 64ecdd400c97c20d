"""Pictures for browsers: read by the record that names them, checked, made anew.

No path ever comes from a browser, and no byte of a stored file goes to one: what is sent was
decoded here and encoded again, so that nothing hidden in a file reaches a tablet.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2

from camera.decode import decode
from camera.frame import Image
from edge.picture_file import open_picture
from edge.store.encoding import encode
from sync.gallery import Missing, Wanted
from sync.picture import MOST_SIZE

Size = Literal["screen", "thumb", "full"]
LONGEST: dict[Size, int | None] = {"screen": 1600, "thumb": 320, "full": None}
"""Pixels of the longer side, at most."""
CACHE_BYTES = 64 * 1024 * 1024
DECODED_AT_ONCE = 2
"""A picture of 20 megapixels takes 60 MB while it is made smaller."""


class NoPicture(Exception):
    """There is none that may be shown: gone, damaged, or not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it is sent, and the size of the whole frame that it was made from."""

    data: bytes
    width: int
    height: int


Named = Callable[[str], tuple[str, str] | None]
"""Path and SHA-256 of an inspection's picture, by the inspection's id."""


class Pictures:
    """Makes pictures, and keeps the last ones in memory. Thread-safe.

    `named` looks up what the record says; it is asked again for each picture that is not in memory.
    """

    def __init__(self, state_dir: Path, named: Named, most_bytes: int = CACHE_BYTES) -> None:
        self._state_dir = state_dir
        self._named = named
        self._most = most_bytes
        self._held = 0
        self._kept: OrderedDict[tuple[str, str, Size], Shown] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(DECODED_AT_ONCE)
        cv2.setNumThreads(1)

    def get(self, inspection: str, sha256: str, size: Size) -> Shown:
        """The picture of this inspection, if it is this one. Raises NoPicture."""
        key = (inspection, sha256, size)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        shown = self._made(inspection, sha256, size)
        self._keep(key, shown)
        return shown

    def _made(self, inspection: str, sha256: str, size: Size) -> Shown:
        named = self._named(inspection)
        if named is None or named[1] != sha256:
            raise NoPicture(f"{inspection} has no picture {sha256}")
        with self._decoding:
            image, doubts = decode(self._read(Wanted(inspection, *named)))
            if image is None:
                raise NoPicture(doubts[0].name if doubts else "it cannot be decoded")
            height, width = image.shape[:2]
            try:
                return Shown(encode(_smaller(image, LONGEST[size])), width, height)
            except (ValueError, cv2.error) as error:
                raise NoPicture(str(error)) from error

    def _read(self, wanted: Wanted) -> bytes:
        try:
            file = open_picture(self._state_dir, wanted)
        except Missing as missing:
            raise NoPicture(str(missing)) from missing
        try:
            if file.size > MOST_SIZE:
                raise NoPicture(f"it has {file.size} bytes")
            return file.read(0, file.size)
        except Missing as missing:
            raise NoPicture(str(missing)) from missing
        finally:
            file.close()

    def _keep(self, key: tuple[str, str, Size], shown: Shown) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._held += len(shown.data) - (0 if before is None else len(before.data))
            self._kept[key] = shown
            while self._held > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._held -= len(oldest.data)


def _smaller(image: Image, longest: int | None) -> Image:
    """The same with its longer side no longer than this."""
    height, width = image.shape[:2]
    if longest is None or max(height, width) <= longest:
        return image
    share = longest / max(height, width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
