"""The keep thread: pictures that policy wants are on the disk before the record that names them."""

from __future__ import annotations

from collections.abc import Sequence

from edge.channel import Channel
from edge.log import log
from edge.records import Inspection
from edge.store.images import ImageStore, Picture, encode
from edge.workers.entry import Entry

TOGETHER = 16


class Keeper:
    """Takes entries in order, stores their pictures, passes them on in the same order.

    A picture that cannot be stored is left out and the record says why: the part still counts.
    """

    def __init__(
        self, entries: Channel[Entry], recorded: Channel[Entry], images: ImageStore
    ) -> None:
        self.failing: str | None = None
        self._entries = entries
        self._recorded = recorded
        self._images = images
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

    def _stored(self, taken: Sequence[Entry]) -> list[Entry]:
        pictures = [_picture(entry) for entry in taken if entry.picture is not None]
        if not pictures:
            return list(taken)
        try:
            named = iter(self._images.keep_all(pictures))
            self.failing = None
            return [
                entry if entry.picture is None else entry.with_image(next(named), None)
                for entry in taken
            ]
        except OSError as error:
            self.failing = str(error)
            log.error("keep.failing", error=error)
            return [
                entry if entry.picture is None else entry.with_image(None, "disk")
                for entry in taken
            ]


def _picture(entry: Entry) -> Picture:
    inspection, frame = entry.records[0], entry.picture
    assert isinstance(inspection, Inspection)
    assert frame is not None
    if frame.encoded is not None:
        return Picture(inspection.id, inspection.captured.wall, frame.encoded)
    assert frame.image is not None
    return Picture(inspection.id, inspection.captured.wall, encode(frame.image))
