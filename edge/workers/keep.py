"""The keep thread: pictures that policy wants are on the disk before the record that names them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from edge.channel import Channel
from edge.log import log
from edge.records import ImageRef, Inspection
from edge.store.encoding import Encoding, encode
from edge.store.images import ImageStore, Picture
from edge.workers.entry import Entry

TOGETHER = 16


class Keeper:
    """Takes entries in order, stores their pictures, passes them on in the same order.

    A picture that cannot be stored is left out and the record says why: the part still counts.
    Bytes that the camera gave are kept as they are; `encoding` is for pixels.
    """

    def __init__(
        self,
        entries: Channel[Entry],
        recorded: Channel[Entry],
        images: ImageStore,
        encoding: Encoding = "jpeg",
    ) -> None:
        self.failing: str | None = None
        self._entries = entries
        self._recorded = recorded
        self._images = images
        self._encoding = encoding
        self._ready: list[Entry] = []

    def step(self) -> bool:
        """Store the pictures of some entries and pass them on; False when all has gone through."""
        if not self._ready:
            self._ready = self._stored(self._entries.take(TOGETHER, timeout=0.5))
        while self._ready:
            if not self._recorded.put(self._ready[0]):
                self._recorded.wait_for_room(0.5)
                return not self._recorded.closed
            self._ready.pop(0)
        return not self._entries.ended

    def left(self) -> int:
        """How many records are still here: at the end, those that will never be written."""
        left = [*self._ready, *self._entries.take(1 << 30, timeout=0)]
        return sum(len(entry.records) for entry in left)

    def _stored(self, taken: Sequence[Entry]) -> list[Entry]:
        pictures = [
            None if entry.picture is None else _picture(entry, self._encoding) for entry in taken
        ]
        kept = iter(self._kept([picture for picture in pictures if picture is not None]))
        stored = []
        for entry, picture in zip(taken, pictures, strict=True):
            if entry.picture is None:
                stored.append(entry)
            elif picture is None:
                stored.append(entry.with_image(None, "encoding"))
            else:
                image = next(kept)
                stored.append(entry.with_image(image, "disk" if image is None else None))
        return stored

    def _kept(self, pictures: Sequence[Picture]) -> Sequence[ImageRef | None]:
        if not pictures:
            return ()
        try:
            kept = self._images.keep_all(pictures)
        except OSError as error:
            self.failing = str(error)
            log.error("keep.failing", error=error)
            return [None] * len(pictures)
        self.failing = None
        return kept


def _picture(entry: Entry, encoding: Encoding) -> Picture | None:
    """The picture as a file; None for pixels that no file can hold."""
    inspection, frame = entry.records[0], entry.picture
    assert isinstance(inspection, Inspection)
    assert frame is not None
    captured = inspection.captured.wall
    if frame.encoded is not None:
        return Picture(inspection.id, captured, frame.encoded, ending(frame.encoded))
    assert frame.image is not None
    try:
        data = encode(frame.image, encoding)
        return Picture(inspection.id, captured, data, ending(data))
    except (ValueError, cv2.error) as error:
        log.error("keep.encoding", error=error)
        return None


def ending(data: bytes) -> str:
    """The name's ending by the first bytes; damaged files are kept as the pictures they should be.

    RFC 2083; TIFF 6.0; RFC 9649.
    """
    starts = {b"\x89PNG": ".png", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif"}
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return next((ending for start, ending in starts.items() if data.startswith(start)), ".jpg")
