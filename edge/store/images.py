"""Pictures on disk: which are kept, and how they get there before a record names them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge.files import sync_folder
from edge.records import Decision, ImageRef
from edge.store.durable import make_directory, write_synced
from edge.store.usage import disk

RANDOM_SHARE = 0.01
PARTIAL = ".part"
_WORDS = {"accepted": "accept", "rejected": "reject", "escalated": "escalate"}


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """Which pictures are kept: those of some decisions, and a random share of all others."""

    decisions: frozenset[str]
    random_share: float = 0.0


def parse_policy(text: str) -> ImagePolicy:
    """Read `all`, `none`, or words joined by `+`: accepted, rejected, escalated, random.

    `random` keeps one part in a hundred whatever was decided, `random:0.05` one in twenty.
    Raises ValueError with the words that are allowed.
    """
    if text in ("all", "none"):
        return ImagePolicy(frozenset(_WORDS.values()) if text == "all" else frozenset())
    decisions, share = set(), 0.0
    for word in text.split("+"):
        name, _, amount = word.strip().partition(":")
        if name == "random":
            share = _share(amount)
        elif name in _WORDS and not amount:
            decisions.add(_WORDS[name])
        else:
            raise ValueError(
                f"{word.strip()!r}: expected all, none, or accepted, rejected, escalated, random"
                " (or random:0.05) joined by +"
            )
    return ImagePolicy(frozenset(decisions), share)


def wanted(policy: ImagePolicy, decision: Decision, asked: bool, random_draw: float) -> bool:
    """Whether the picture of a part is kept. `random_draw` is uniform in 0 to below 1.

    A part that a person is asked about counts as escalated: the person needs the picture.
    """
    if decision in policy.decisions or (asked and "escalate" in policy.decisions):
        return True
    return random_draw < policy.random_share


def _share(text: str) -> float:
    try:
        share = float(text) if text else RANDOM_SHARE
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"random:{text}: expected a share above 0 and up to 1")
    return share


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to keep: the inspection it belongs to, its wall time, the file's bytes."""

    inspection: str
    captured: float
    data: bytes
    suffix: str = ".jpg"


class ImageStore:
    """The folder `images/` of a state directory: `images/YYYY-MM-DD/HH/<inspection>.jpg`, in UTC.

    What `keep` returns is on the disk, name and bytes. A crash leaves at most files ending in
    `.part`, which `sweep` removes. The last `floor` bytes of the disk are for records, and while
    `closed` all there are: then `keep` is refused.
    """

    def __init__(self, state_dir: Path) -> None:
        self.closed = False
        self.floor = 0
        self.state_dir = state_dir
        self._known: set[Path] = set()

    def keep(self, inspection: str, captured: float, data: bytes, suffix: str = ".jpg") -> ImageRef:
        """Keep one picture. Raises OSError; then nothing is kept under its name."""
        return self.keep_all([Picture(inspection, captured, data, suffix)])[0]

    def keep_all(self, pictures: Sequence[Picture]) -> list[ImageRef]:
        """Keep several with one fsync for each folder. Raises OSError: a record must
        then name none of them."""
        size = sum(len(picture.data) for picture in pictures)
        if self.closed or (self.floor and disk(self.state_dir).free < self.floor + size):
            raise OSError(errno.ENOSPC, "the last room on the disk is for records")
        references = [_reference(picture) for picture in pictures]
        written: list[Path] = []
        try:
            for picture, reference in zip(pictures, references, strict=True):
                target = self.state_dir / reference.path
                self._folder(target.parent)
                written.append(target.with_name(target.name + PARTIAL))
                write_synced(written[-1], picture.data)
        except OSError:
            _remove(written)
            raise
        for partial in written:
            os.rename(partial, partial.with_name(partial.name.removesuffix(PARTIAL)))
        for folder in {partial.parent for partial in written}:
            sync_folder(folder)
        return references

    def sweep(self) -> int:
        """Remove what a crash left half-written in the newest two hours; how many files."""
        days = sorted((self.state_dir / "images").glob("????-??-??"))[-2:]
        hours = sorted(hour for day in days for hour in day.glob("??"))[-2:]
        leftovers = [path for hour in hours for path in hour.glob("*" + PARTIAL)]
        _remove(leftovers)
        return len(leftovers)

    def _folder(self, folder: Path) -> None:
        if folder not in self._known or not folder.is_dir():
            for level in (folder.parent.parent, folder.parent, folder):
                make_directory(level)
            self._known = {folder}


def path_of(inspection: str, captured: float, suffix: str = ".jpg") -> str:
    """Where the picture of this inspection is, below the state directory, if it is kept."""
    moment = datetime.fromtimestamp(captured, timezone.utc)
    return f"images/{moment:%Y-%m-%d/%H}/{inspection}{suffix}"


def _reference(picture: Picture) -> ImageRef:
    path = path_of(picture.inspection, picture.captured, picture.suffix)
    return ImageRef(path, hashlib.sha256(picture.data).hexdigest(), len(picture.data))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
