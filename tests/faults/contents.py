"""The contents of a file between programs and the disk; the model is in powercut.py. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Patch:
    """Sectors as they were after one write: from `start`, a multiple of SECTOR, to their end."""

    start: int
    image: bytes


@dataclass(eq=False, slots=True)
class File:
    """Contents as programs see them (`now`) and as the disk holds them, and what lies between:
    patches, and truncations as sizes."""

    now: bytearray = field(default_factory=bytearray)
    disk: bytearray = field(default_factory=bytearray)
    unsynced: list[Patch | int] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        """A program has written."""
        _put(self.now, offset, data)
        start = offset - offset % SECTOR
        end = _end(offset + len(data))
        self.unsynced.append(Patch(start, bytes(self.now[start:end])))

    def truncate(self, size: int) -> None:
        """A program has made it shorter or longer."""
        if size != len(self.now):
            _resize(self.now, size)
            self.unsynced.append(size)

    def sync(self) -> None:
        """Everything is durable, but for what a failed fsync has declared clean."""
        self.disk = self._settled(lambda patch: patch)
        self.unsynced = []

    def fail_to_sync(self, chance: Random) -> None:
        """fsync has failed: some is durable, and nothing is dirty any more."""
        self.disk = self.after_power_cut(chance)
        self.unsynced = []

    def after_power_cut(self, chance: Random) -> bytearray:
        """Contents as they may be after a power cut now."""
        mood = chance.random()
        if mood < 0.3 or not self.unsynced:
            return bytearray(self.disk)
        if mood < 0.6:
            return self._settled(lambda patch: patch)
        return self._settled(lambda patch: _torn(patch, chance))

    def _settled(self, survivor: Callable[[Patch | int], Patch | int | None]) -> bytearray:
        disk, limit = bytearray(self.disk), None
        for change in self.unsynced:
            kept = survivor(change)
            if isinstance(change, int):
                if kept is None or limit is not None:
                    limit = change if limit is None else min(limit, change)
                else:
                    _resize(disk, change)
            elif isinstance(kept, Patch):
                image = _sectors(kept, len(disk))
                room = len(image) if limit is None else max(0, _end(limit) - kept.start)
                _put(disk, kept.start, image[:room])
        return disk


def _end(offset: int) -> int:
    """Where the sector ends that this byte ends in."""
    return -(-offset // SECTOR) * SECTOR


def _sectors(patch: Patch, size: int) -> bytes:
    """What reaches a disk on which the file still has `size` bytes: behind its end in memory, the
    last sector is zeros."""
    end = patch.start + len(patch.image)
    return patch.image + bytes(max(0, min(_end(end), size) - end))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if data:
        _resize(content, max(len(content), offset))
        content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


def _torn(change: Patch | int, chance: Random) -> Patch | int | None:
    """The change whole, nothing of it, or some of its sectors (a run: disks write in runs)."""
    draw = chance.random()
    if draw < 0.45:
        return change
    if draw < 0.75 or isinstance(change, int):
        return None
    sectors = -(-len(change.image) // SECTOR)
    first = chance.choice((0, chance.randrange(sectors)))
    last = chance.randint(first, sectors)
    image = change.image[first * SECTOR : last * SECTOR]
    return Patch(change.start + first * SECTOR, image) if image else None
