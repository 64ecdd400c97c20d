"""What travels from the inspect and tend threads to the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from camera.frame import Frame
from edge.records import ImageRef, Inspection, Record
from edge.store.escalations import Deadline


@dataclass(frozen=True, slots=True)
class Entry:
    """Records that belong into one transaction, and the picture that the first one names.

    `done` is called by the record thread when they are on the disk.
    """

    records: tuple[Record, ...]
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    picture: Frame | None = None
    done: Callable[[], None] | None = None

    @property
    def weight(self) -> int:
        """Bytes of memory that the picture holds."""
        if self.picture is None:
            return 0
        if self.picture.encoded is not None:
            return len(self.picture.encoded)
        return 0 if self.picture.image is None else int(self.picture.image.nbytes)

    def with_image(self, image: ImageRef | None, missing: str | None) -> Entry:
        """The same entry without pixels, its inspection naming the stored picture."""
        first = self.records[0]
        assert isinstance(first, Inspection)
        named = replace(first, image=image, image_missing=missing)
        return replace(self, records=(named, *self.records[1:]), picture=None)
